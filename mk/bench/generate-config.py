#!/usr/bin/env python3
"""generate-config.py MEGABYTES: configuration as people write it, on standard output; the same every time."""
import sys

RESOURCE = '''# Machines of group %(n)d, see the handbook for how they are named.
resource "zos_machine" "web_%(n)d" {
  for_each = { for name, size in var.machines_%(m)d : name => size if size.enabled }

  node        = each.value.node
  network     = zos_network.main_%(m)d.id
  flist       = "https://hub.example.org/images/${var.release}/web-%(n)d.tar.gz"
  cpu         = each.value.cpu
  memory      = each.value.memory * 1024
  entrypoint  = "/sbin/start --port 8080 --name ${each.key}"
  description = "Web server ${each.key} of ${local.prefix}-%(n)d"

  env = {
    NAME      = each.key
    REGION    = var.region
    LOG_LEVEL = var.debug ? "debug" : "info"
    PEERS     = join(",", [for m in local.machines : m.address if m.name != each.key])
  }

  mounts {
    disk        = zos_disk.data_%(n)d[each.key].id
    mount_point = "/data"
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [env["BUILD"], description]
  }
}

resource "zos_disk" "data_%(n)d" {
  for_each = zos_network.main_%(m)d.nodes
  node     = each.value
  size     = max(10, lookup(var.sizes, each.key, 20))
}

variable "machines_%(m)d" {
  description = "Machines by name; what is left out has a default that suits most."
  type = map(object({
    node    = string
    cpu     = optional(number, 1)
    memory  = optional(number, 1)
    enabled = optional(bool, true)
  }))
  default = {}

  validation {
    condition     = alltrue([for m in values(var.machines_%(m)d) : m.cpu > 0 && m.cpu <= 32])
    error_message = "The number of cores is from 1 to 32."
  }
}

locals {
  names_%(n)d   = ["alpha", "beta", "gamma", "delta", "epsilon"]
  ports_%(n)d   = [80, 443, 8080, 8443, 9090]
  total_%(n)d   = length(local.names_%(n)d) + 12.5 * (3 - 1)
  script_%(n)d  = <<-EOT
    #!/bin/sh
    # Started once, when the machine comes up.
    echo "starting ${local.prefix}"
    exec /sbin/start --group %(n)d
  EOT
}

output "addresses_%(n)d" {
  description = "Where the machines of group %(n)d are."
  value       = { for k, m in zos_machine.web_%(n)d : k => "${m.ip}:8080" }
}

'''


def main():
    wanted = float(sys.argv[1]) * 1e6
    written = number = 0
    while written < wanted:
        written += sys.stdout.write(RESOURCE % {"n": number, "m": number // 8 * 8 + number % 8})
        number += 1


if __name__ == "__main__":
    main()
