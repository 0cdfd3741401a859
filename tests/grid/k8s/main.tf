terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

variable "workers" {
  type = map(number)
  default = {
    w0 = 45
  }
}

resource "random_string" "token" {
  length  = 24
  special = false
}

resource "random_string" "name" {
  length  = 8
  special = false
}

locals {
  solution_type = "Kubernetes/mr"
  name          = random_string.name.result
  master_node   = 11
}

resource "grid_network" "net1" {
  solution_type = local.solution_type
  name          = local.name
  nodes         = distinct(concat([local.master_node, 45], values(var.workers)))
  ip_range      = "10.14.0.0/16"
  description   = "k8s network"
  add_wg_access = true
}

resource "grid_kubernetes" "k8s1" {
  solution_type = local.solution_type
  name          = local.name
  network_name  = grid_network.net1.name
  token         = random_string.token.result
  ssh_key       = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRzXw9 user@laptop"

  master {
    disk_size = 1
    node      = local.master_node
    name      = "mr"
    cpu       = 1
    publicip  = true
    memory    = 512
  }

  dynamic "workers" {
    for_each = var.workers
    content {
      disk_size = 1
      node      = workers.value
      name      = workers.key
      cpu       = 1
      publicip  = false
      memory    = 512
    }
  }
}

output "computed_master_public_ip" {
  value = grid_kubernetes.k8s1.master[0].computedip
}

output "computed_master_ip" {
  value = grid_kubernetes.k8s1.master[0].ip
}

output "worker_ips" {
  value = { for w in grid_kubernetes.k8s1.workers : w.name => w.ip }
}

output "wg_config" {
  value = grid_network.net1.access_wg_config
}
