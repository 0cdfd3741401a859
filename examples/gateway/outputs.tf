output "urls" {
  value       = [for name in [zos_gateway_name.web.fqdn, zos_gateway_fqdn.secure.fqdn] : "https://${name}/"]
  description = "Where the two answer."
}

output "certificate_authority" {
  value       = zos_gateway_name.web.certificate_authority
  description = "What clients are to trust for the first, where node.hcl has no certificate for it."
}
