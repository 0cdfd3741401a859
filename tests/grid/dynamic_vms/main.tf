terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

variable "vms" {
  type = list(object({
    name       = string
    cpu        = optional(number, 1)
    memory     = optional(number, 256)
    ip         = optional(string)
    publicip   = optional(bool, false)
    env_vars   = optional(map(string), {})
    entrypoint = optional(string, "/sbin/zinit init")
    mounts     = optional(list(object({ disk_name = string, mount_point = string })), [])
  }))
  default = [
    { name = "one", ip = "10.11.1.10", env_vars = { COLOR = "red" } },
    { name = "two", mounts = [{ disk_name = "d1", mount_point = "/data" }] },
    { name = "three", memory = 512, publicip = true },
  ]
}

variable "disks" {
  type = map(object({ size = number, description = optional(string, "") }))
  default = {
    d1 = { size = 1 }
  }
}

resource "grid_network" "net1" {
  name     = "dynnet"
  nodes    = [11]
  ip_range = "10.11.0.0/16"
}

resource "grid_deployment" "d1" {
  name         = "dynamic"
  node         = tolist(grid_network.net1.nodes)[0]
  network_name = grid_network.net1.name

  dynamic "disks" {
    for_each = var.disks
    content {
      name        = disks.key
      size        = disks.value.size
      description = disks.value.description
    }
  }

  dynamic "vms" {
    for_each = var.vms
    iterator = vm
    content {
      name       = vm.value.name
      flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
      cpu        = vm.value.cpu
      memory     = vm.value.memory
      ip         = vm.value.ip
      publicip   = vm.value.publicip
      entrypoint = vm.value.entrypoint
      env_vars   = merge({ INDEX = tostring(vm.key) }, vm.value.env_vars)

      dynamic "mounts" {
        for_each = vm.value.mounts
        content {
          name        = mounts.value.disk_name
          mount_point = mounts.value.mount_point
        }
      }
    }
  }
}

output "ips" {
  value = zipmap(grid_deployment.d1.vms[*].name, grid_deployment.d1.vms[*].ip)
}
