output "urls" {
  value       = { for name, gateway in zos_gateway_name.web : name => "http://${gateway.fqdn}/" }
  description = "Where each site answers."
}

output "addresses" {
  value       = { for name, machine in zos_machine.web : name => machine.ip }
  description = "Private address of each machine."
}
