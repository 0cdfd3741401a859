# Two machines on two nodes, in one private network: each pings the other over the mesh, and tells how that goes on
# a page.
#
#   zplan sandbox up -nodes 2                        # two nodes, out of network namespaces
#   export ZPLAN_NODES=/var/lib/zplan-sandbox/nodes.hcl
#   zplan init && zplan apply
#
# Then the addresses in the output tell what each machine hears of the other:
#
#   ip netns exec "$(zplan sandbox status -json | jq -r .client_namespace)" \
#       curl --resolve left.n1.sandbox.test:80:198.18.0.11 http://left.n1.sandbox.test/

terraform {
  required_providers {
    zos = {
      source = "zplan/zos"
    }
  }
}

locals {
  places = { left = var.nodes[0], right = var.nodes[1] }
  peers  = { left = "right", right = "left" }

  # Chosen here, so that each machine can be told where the other one will be.
  addresses = { for name, node in local.places : name => cidrhost(zos_network.mesh.subnets[node], 10) }

  listen = "while true; do ping -c 1 -W 2 $PEER > /srv/new 2>&1; mv /srv/new /srv/index.html; sleep 2; done"
  start  = "mkdir -p /srv; (${local.listen}) & exec httpd -f -p 80 -h /srv"
}

resource "zos_network" "mesh" {
  nodes    = var.nodes
  ip_range = "10.30.0.0/16"
}

resource "zos_machine" "m" {
  for_each = local.places

  node       = each.value
  network    = zos_network.mesh.id
  ip         = local.addresses[each.key]
  flist      = "file://${abspath(coalesce(var.content, "${path.root}/../../build/rootfs"))}/"
  memory     = 250
  entrypoint = "/bin/sh -c '${local.start}'"

  env = {
    PEER = local.addresses[local.peers[each.key]]
  }
}

resource "zos_gateway_name" "m" {
  for_each = local.places

  node     = each.value
  name     = each.key
  network  = zos_network.mesh.id
  backends = ["http://${zos_machine.m[each.key].ip}:80"]
}
