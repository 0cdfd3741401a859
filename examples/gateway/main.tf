# One name whose TLS ends at the gateway, and one whose TLS goes on to a machine untouched, both at port 443.
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
  plain = "file://${abspath(var.content)}/"
  tls   = "file://${abspath(var.content)}-tls/"
}

resource "zos_network" "main" {
  nodes    = [var.node]
  ip_range = "10.30.0.0/16"
}

# --- TLS ends at the gateway: two plain web servers, and requests are shared out among them ---

resource "zos_machine" "web" {
  count = 2

  node       = var.node
  network    = zos_network.main.id
  flist      = local.plain
  memory     = 250
  entrypoint = "/bin/sh -c 'mkdir -p /www; echo \"web ${count.index}\" > /www/index.html; exec httpd -f -p 8000 -h /www'"
}

resource "zos_gateway_name" "web" {
  node           = var.node
  name           = var.web
  network        = zos_network.main.id
  backends       = [for machine in zos_machine.web : "http://${machine.ip}:8000"]
  redirect_https = true
}

# --- TLS goes on: the machine makes its own key, which the gateway never sees ---

data "zos_gateway_domain" "secure" {
  node = var.node
  name = var.secure
}

resource "zos_machine" "secure" {
  node    = var.node
  network = zos_network.main.id
  flist   = local.tls
  memory  = 250

  env = {
    NAME = data.zos_gateway_domain.secure.fqdn
  }

  entrypoint = "/bin/sh -c '${join("; ", [
    "mkdir -p /www && cd /www && echo secure > index.html",
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -config /dev/null -subj /CN=$NAME -keyout /key.pem -out /cert.pem",
    "exec openssl s_server -quiet -accept 8443 -key /key.pem -cert /cert.pem -WWW",
  ])}'"
}

resource "zos_gateway_fqdn" "secure" {
  node            = var.node
  fqdn            = data.zos_gateway_domain.secure.fqdn
  network         = zos_network.main.id
  backends        = ["${zos_machine.secure.ip}:8443"]
  tls_passthrough = true
}
