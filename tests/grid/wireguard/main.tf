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
  name          = "wgnet"
  nodes         = [11, 7]
  ip_range      = "10.13.0.0/16"
  description   = "with a laptop, and a node that nobody can call"
  add_wg_access = true
}

resource "local_file" "wg" {
  content         = grid_network.net1.access_wg_config
  filename        = "${path.module}/wg.conf"
  file_permission = "0600"
}

output "endpoint_node" {
  value = grid_network.net1.public_node_id
}

output "external_ip" {
  value = grid_network.net1.external_ip
}

output "node_ranges" {
  value = grid_network.net1.nodes_ip_range
}
