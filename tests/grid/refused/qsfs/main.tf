terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

locals {
  backends = [for i in range(4) : { address = "[2a10:b600::${i}]:9900", namespace = "ns${i}", password = "password" }]
}

resource "grid_network" "net" {
  name     = "qsfsnet"
  nodes    = [11]
  ip_range = "10.71.0.0/16"
}

resource "grid_deployment" "d" {
  node         = 11
  network_name = grid_network.net.name

  qsfs {
    name                  = "qsfs"
    description           = "kept in pieces"
    cache                 = 1024
    minimal_shards        = 2
    expected_shards       = 4
    redundant_groups      = 0
    redundant_nodes       = 0
    max_zdb_data_dir_size = 512
    encryption_algorithm  = "AES"
    encryption_key        = "4d778ba3216e4da4231540c92a55f06157cabba802f9b68fb0f78375d2e825af"
    compression_algorithm = "snappy"

    metadata {
      type                 = "zdb"
      prefix               = "hamada"
      encryption_algorithm = "AES"
      encryption_key       = "4d778ba3216e4da4231540c92a55f06157cabba802f9b68fb0f78375d2e825af"

      dynamic "backends" {
        for_each = local.backends
        content {
          address   = backends.value.address
          namespace = backends.value.namespace
          password  = backends.value.password
        }
      }
    }

    groups {
      dynamic "backends" {
        for_each = local.backends
        content {
          address   = backends.value["address"]
          namespace = backends.value["namespace"]
          password  = backends.value["password"]
        }
      }
    }
  }

  vms {
    name       = "vm"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 2
    memory     = 1024
    mounts {
      name        = "qsfs"
      mount_point = "/qsfs"
    }
  }
}

output "metrics" {
  value = grid_deployment.d.qsfs[0].metrics_endpoint
}
