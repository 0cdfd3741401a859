terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

variable "nodes" {
  type    = list(number)
  default = [11, 45]
}

locals {
  metadata = jsonencode({
    version     = 3
    type        = "vm"
    projectName = "multinode"
  })
}

resource "grid_network" "net1" {
  name          = "multi"
  nodes         = var.nodes
  ip_range      = "10.20.0.0/16"
  description   = "spans nodes"
  add_wg_access = true
}

resource "grid_deployment" "d1" {
  node          = var.nodes[0]
  network_name  = grid_network.net1.name
  solution_type = local.metadata
  vms {
    name       = "first"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
    env_vars = {
      ROLE = "first"
    }
  }
}

resource "grid_deployment" "d2" {
  node          = var.nodes[1]
  network_name  = grid_network.net1.name
  solution_type = local.metadata
  vms {
    name       = "second"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
    env_vars = {
      ROLE = "second"
      PEER = grid_deployment.d1.vms[0].ip
    }
  }
}

output "wg_config" {
  value = grid_network.net1.access_wg_config
}

output "first_ip" {
  value = grid_deployment.d1.vms[0].ip
}

output "second_ip" {
  value = grid_deployment.d2.vms[0].ip
}

output "ranges" {
  value = grid_network.net1.nodes_ip_range
}
