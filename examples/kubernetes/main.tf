# A cluster of a master and two workers on two nodes, and a name that leads to the master.
#
#   zplan sandbox up -nodes=2                        # nodes out of network namespaces
#   export ZPLAN_NODES=/var/lib/zplan-sandbox/nodes.hcl
#   zplan init && zplan apply
#
# The members run a few lines of shell that do what k3s does when it starts: workers call the master and show the
# token. For the real thing see docs/kubernetes.md.

terraform {
  required_providers {
    zos = {
      source = "zplan/zos"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}

resource "random_password" "token" {
  length  = 32
  special = false
}

resource "zos_network" "main" {
  nodes    = var.nodes
  ip_range = "10.40.0.0/16"
}

resource "zos_kubernetes" "main" {
  network    = zos_network.main.id
  token      = random_password.token.result
  flist      = "file://${abspath(var.content)}/"
  entrypoint = "/sbin/member"

  master {
    name      = "master"
    node      = var.nodes[0]
    memory    = 250
    disk_size = 1
  }

  dynamic "workers" {
    for_each = range(var.workers)

    content {
      name      = "worker${workers.value}"
      node      = var.nodes[(workers.value + 1) % length(var.nodes)]
      memory    = 250
      disk_size = 1
    }
  }
}

resource "zos_gateway_name" "api" {
  node     = var.nodes[0]
  name     = "cluster"
  network  = zos_network.main.id
  backends = ["http://${zos_kubernetes.main.master[0].ip}:6443"]
}
