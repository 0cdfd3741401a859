terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

resource "grid_network" "net1" {
  name     = "lognet"
  nodes    = [11]
  ip_range = "10.15.0.0/16"
}

resource "grid_deployment" "d1" {
  node         = 11
  network_name = grid_network.net1.name
  vms {
    name       = "chatty"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
    zlogs = [
      "redis://198.18.0.2:6379/logs",
      "ws://198.18.0.2:9000/",
    ]
  }
}
