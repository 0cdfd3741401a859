terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

variable "ssh_key" {
  type        = string
  description = "Public key that may log in to the members"
}

variable "token" {
  type      = string
  sensitive = true
}

variable "network_name" {
  type    = string
  default = "k8snet"
}

variable "network_ip_range" {
  type    = string
  default = "10.30.0.0/16"
}

variable "master" {
  type = object({
    name       = string
    node       = number
    cpu        = optional(number, 1)
    memory     = optional(number, 512)
    disk_size  = optional(number, 1)
    publicip   = optional(bool, false)
    publicip6  = optional(bool)
    planetary  = optional(bool, false)
    flist      = optional(string)
    entrypoint = optional(string)
  })
}

variable "workers" {
  type = list(object({
    name       = string
    node       = number
    cpu        = optional(number, 1)
    memory     = optional(number, 512)
    disk_size  = optional(number, 1)
    publicip   = optional(bool, false)
    planetary  = optional(bool, false)
    flist      = optional(string)
    entrypoint = optional(string)
  }))
  default = []

  validation {
    condition     = length(distinct(var.workers[*].name)) == length(var.workers)
    error_message = "Worker names must be unique."
  }
}

locals {
  nodes = distinct(flatten([var.master.node, [for w in var.workers : w.node]]))
}

resource "grid_network" "net" {
  name          = var.network_name
  nodes         = local.nodes
  ip_range      = var.network_ip_range
  add_wg_access = true
}

resource "grid_kubernetes" "cluster" {
  network_name = grid_network.net.name
  token        = var.token
  ssh_key      = var.ssh_key

  master {
    name       = var.master.name
    node       = var.master.node
    cpu        = var.master.cpu
    memory     = var.master.memory
    disk_size  = var.master.disk_size
    publicip   = var.master.publicip
    publicip6  = var.master.publicip6
    planetary  = var.master.planetary
    flist      = var.master.flist
    entrypoint = var.master.entrypoint
  }

  dynamic "workers" {
    for_each = var.workers
    content {
      name       = workers.value.name
      node       = workers.value.node
      cpu        = workers.value.cpu
      memory     = workers.value.memory
      disk_size  = workers.value.disk_size
      publicip   = lookup(workers.value, "publicip", false)
      planetary  = try(workers.value.planetary, false)
      flist      = workers.value.flist
      entrypoint = workers.value.entrypoint
    }
  }
}

output "nodes" {
  value = local.nodes
}

output "master_ip" {
  value = grid_kubernetes.cluster.master[0].ip
}

output "workers" {
  value = grid_kubernetes.cluster.workers[*].ip
}

output "wg_config" {
  value = grid_network.net.access_wg_config
}
