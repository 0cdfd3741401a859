output "members" {
  value       = "http://${zos_gateway_name.api.fqdn}/members"
  description = "Where the master tells who is in."
}

output "addresses" {
  value       = { for member in concat(zos_kubernetes.main.master, zos_kubernetes.main.workers) : member.name => member.ip }
  description = "Private address of each member."
}

output "kubeconfig" {
  value       = zos_kubernetes.main.kubeconfig
  sensitive   = true
  description = "For kubectl, once the master has written it: `zplan output -raw kubeconfig`."
}
