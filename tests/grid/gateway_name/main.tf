terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

resource "random_string" "name" {
  length  = 10
  special = false
  upper   = false
}

data "grid_gateway_domain" "domain" {
  node = 11
  name = "app${random_string.name.result}"
}

resource "grid_network" "net1" {
  name     = "gwnet"
  nodes    = [11]
  ip_range = "10.9.0.0/16"
}

resource "grid_deployment" "d1" {
  node         = 11
  network_name = grid_network.net1.name
  vms {
    name       = "web"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    cpu        = 1
    memory     = 256
    env_vars = {
      DOMAIN = data.grid_gateway_domain.domain.fqdn
    }
  }
}

resource "grid_name_proxy" "p1" {
  node            = 11
  name            = "app${random_string.name.result}"
  backends        = [format("http://%s:80", grid_deployment.d1.vms[0].ip)]
  network         = grid_network.net1.name
  tls_passthrough = false
}

output "fqdn" {
  value = data.grid_gateway_domain.domain.fqdn
}

output "proxy_fqdn" {
  value = grid_name_proxy.p1.fqdn
}
