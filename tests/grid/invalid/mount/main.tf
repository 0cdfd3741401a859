terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

resource "grid_network" "net" {
  name     = "badnet"
  nodes    = [11]
  ip_range = "10.70.0.0/16"
}

resource "grid_deployment" "d" {
  node         = 11
  network_name = grid_network.net.name

  vms {
    flist = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    name  = "vm"

    mounts {
      name        = "missing"
      mount_point = "/data"
    }
  }
}
