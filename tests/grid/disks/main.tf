terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

locals {
  node = 45
  disks = [
    { name = "root0", size = 1, path = "/srv" },
    { name = "root1", size = 2, path = "/var/lib/app" },
    { name = "shared", size = 3, path = "/mnt/shared" },
  ]
}

resource "grid_network" "net1" {
  name     = "disknet"
  nodes    = [local.node]
  ip_range = "10.8.0.0/16"
}

resource "grid_deployment" "d1" {
  name         = "storage"
  node         = local.node
  network_name = grid_network.net1.name

  dynamic "disks" {
    for_each = local.disks
    content {
      name        = disks.value.name
      size        = disks.value.size
      description = format("disk %d of %d", disks.key + 1, length(local.disks))
    }
  }

  vms {
    name        = "filer"
    flist       = "https://hub.grid.tf/tf-official-vms/ubuntu-22.04.flist"
    cpu         = 1
    memory      = 1024
    rootfs_size = 2048
    entrypoint  = "/sbin/zinit init"

    dynamic "mounts" {
      for_each = { for d in local.disks : d.name => d.path }
      content {
        name        = mounts.key
        mount_point = mounts.value
      }
    }
  }
}

output "mounts" {
  value = grid_deployment.d1.vms[0].mounts
}
