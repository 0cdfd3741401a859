output "machines" {
  value = {
    for name, machine in zos_machine.m : name => {
      node    = machine.node
      address = machine.ip
      url     = "http://${zos_gateway_name.m[name].fqdn}/"
    }
  }
  description = "Each machine, and where it tells how its pings go."
}
