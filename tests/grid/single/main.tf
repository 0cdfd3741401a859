terraform {
  required_providers {
    grid = {
      source  = "threefoldtech/grid"
      version = "1.8.1"
    }
  }
}

variable "SSH_KEY" {
  type    = string
  default = "PLACEHOLDER"
}

variable "motd" {
  type    = string
  default = "welcome"
}

provider "grid" {
  mnemonic = "bundle bundle never used here"
  network  = "main"
}

locals {
  name        = "myvm"
  vm_disk     = 1
  entrypoint  = "/sbin/zinit init"
  hub_base    = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
  environment = { SSH_KEY = var.SSH_KEY, MOTD = var.motd }
}

resource "random_bytes" "mycelium_ip_seed" {
  length = 6
}

resource "random_bytes" "mycelium_key" {
  length = 32
}

resource "grid_network" "net1" {
  solution_type = local.name
  name          = local.name
  nodes         = [11]
  ip_range      = "10.1.0.0/16"
  description   = "newer network"
  mycelium_keys = {
    format("%s", 11) = random_bytes.mycelium_key.hex
  }
}

resource "grid_deployment" "d1" {
  solution_type = local.name
  name          = local.name
  node          = 11
  network_name  = grid_network.net1.name

  disks {
    name        = "data"
    size        = local.vm_disk
    description = "for the pages"
  }

  vms {
    name             = "vm1"
    flist            = local.hub_base
    cpu              = 2
    publicip         = true
    memory           = 512
    entrypoint       = local.entrypoint
    env_vars         = local.environment
    planetary        = false
    mycelium_ip_seed = random_bytes.mycelium_ip_seed.hex
    mounts {
      name        = "data"
      mount_point = "/data"
    }
  }

  vms {
    name       = "anothervm"
    flist      = local.hub_base
    cpu        = 1
    memory     = 256
    entrypoint = local.entrypoint
    env_vars = {
      SSH_KEY = var.SSH_KEY
    }
  }
}

output "vm1_ip" {
  value = grid_deployment.d1.vms[0].ip
}

output "vm1_computed_ip" {
  value = split("/", grid_deployment.d1.vms[0].computedip)[0]
}

output "vm2_computed_ip" {
  value = split("/", grid_deployment.d1.vms[1].computedip)[0]
}

output "vm1_planetary_ip" {
  value = grid_deployment.d1.vms[0].planetary_ip
}

output "vm1_console_url" {
  value = grid_deployment.d1.vms[0].console_url
}

output "vm2_ip" {
  value = grid_deployment.d1.vms[1].ip
}
