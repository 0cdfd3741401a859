terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

resource "grid_scheduler" "sched" {
  requests {
    name             = "node1"
    cru              = 1
    sru              = 1024
    mru              = 512
    node_exclude     = [7]
    public_config    = true
    public_ips_count = 1
    yggdrasil        = false
    wireguard        = false
    distinct         = true
  }
  requests {
    name         = "node2"
    cru          = 1
    sru          = 512
    mru          = 512
    farm_id      = 1
    node_exclude = [7]
    yggdrasil    = false
    wireguard    = false
    distinct     = true
  }
  requests {
    name          = "gateway"
    public_config = true
    yggdrasil     = false
    wireguard     = false
  }
}

resource "grid_network" "net1" {
  name     = "schednet"
  nodes    = distinct([grid_scheduler.sched.nodes["node1"], grid_scheduler.sched.nodes["node2"]])
  ip_range = "10.12.0.0/16"
}

resource "grid_deployment" "d1" {
  node         = grid_scheduler.sched.nodes["node1"]
  network_name = grid_network.net1.name
  vms {
    name       = "vm1"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
    publicip   = true
  }
}

resource "grid_deployment" "d2" {
  node         = grid_scheduler.sched.nodes["node2"]
  network_name = grid_network.net1.name
  vms {
    name       = "vm2"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
  }
}

output "nodes" {
  value = grid_scheduler.sched.nodes
}

output "public_ip" {
  value = grid_deployment.d1.vms[0].computedip
}
