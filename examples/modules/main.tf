variable "services" {
  description = "What runs, by name."
  type = map(object({
    replicas = optional(number, 1)
    ports    = optional(list(number), [80])
  }))
  default = {
    web = { replicas = 2, ports = [80, 443] }
    api = { ports = [8080] }
  }

  validation {
    condition     = alltrue([for s in var.services : s.replicas > 0])
    error_message = "Every service needs a replica."
  }
}

module "service" {
  source   = "./service"
  for_each = var.services

  name     = each.key
  replicas = each.value.replicas
  ports    = each.value.ports
}

check "ports" {
  assert {
    condition     = length(distinct(local.all_ports)) == length(local.all_ports)
    error_message = "Two services use one port: ${join(", ", local.all_ports)}."
  }
}

locals {
  all_ports = flatten([for s in var.services : s.ports])
}

output "endpoints" {
  value = { for name, s in module.service : name => s.endpoints }
}
