terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
  alias   = "dev"
  network = "dev"
}

provider "grid" {
  alias    = "other"
  mnemonic = "another account that has no meaning here"
}

resource "grid_network" "net" {
  provider = grid.dev
  count    = 2
  name     = "aliasnet${count.index}"
  nodes    = [11, 45]
  ip_range = "10.${60 + count.index}.0.0/16"
}

resource "grid_deployment" "d" {
  provider     = grid.other
  for_each     = { a = 11, b = 45 }
  name         = each.key
  node         = each.value
  network_name = grid_network.net[0].name

  vms {
    name        = "vm_${each.key}"
    description = "vm of ${each.key}"
    flist       = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    cpu         = 1
    memory      = "512"
    entrypoint  = "/sbin/zinit init"
    planetary   = true
    corex       = false
    publicip    = false
    publicip6   = false
  }
}

output "planetary" {
  value = { for k, d in grid_deployment.d : k => try(d.vms[0].planetary_ip, "") }
}
