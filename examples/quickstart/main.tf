# A web server in a micro-VM, with its page on a disk of its own, in a private network, behind a gateway.
#
#   zplan sandbox up                                 # one node, out of network namespaces
#   export ZPLAN_NODES=/var/lib/zplan-sandbox/nodes.hcl
#   zplan init && zplan apply

terraform {
  required_providers {
    zos = {
      source = "zplan/zos"
    }
  }
}

locals {
  # Each site gets a disk, a machine and a name of its own.
  sites = {
    for name in var.sites : name => {
      title = title(name)
      port  = var.port
    }
  }

  # What the machine runs: the page is written once, and stays on the disk after that.
  start = join("; ", [
    "[ -f /data/index.html ] || echo \"$PAGE\" > /data/index.html",
    "echo \"$GREETING\" > /data/greeting.txt",
    "exec httpd -f -p ${var.port} -h /data",
  ])
}

resource "zos_network" "main" {
  nodes    = [var.node]
  ip_range = "10.20.0.0/16"
}

resource "zos_disk" "data" {
  for_each = local.sites

  node        = var.node
  size        = 1
  description = "pages of ${each.key}"
}

resource "zos_machine" "web" {
  for_each = local.sites

  node       = var.node
  network    = zos_network.main.id
  flist      = "file://${abspath(coalesce(var.content, "${path.root}/../../build/rootfs"))}/"
  memory     = 250
  entrypoint = "/bin/sh -c '${local.start}'"

  env = {
    PAGE     = "<h1>${each.value.title}</h1><p>Served by a machine that zplan made.</p>"
    GREETING = var.greeting
  }

  mounts {
    disk        = zos_disk.data[each.key].id
    mount_point = "/data"
  }
}

resource "zos_gateway_name" "web" {
  for_each = local.sites

  node     = var.node
  name     = each.key
  network  = zos_network.main.id
  backends = ["http://${zos_machine.web[each.key].ip}:${each.value.port}"]
}
