terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

resource "grid_fqdn_proxy" "p1" {
  node            = 11
  name            = "workloadname"
  fqdn            = "remote.example.org"
  backends        = ["http://198.18.0.2:9000"]
  tls_passthrough = false
}

resource "grid_fqdn_proxy" "raw" {
  node            = 45
  name            = "passthrough"
  fqdn            = "raw.example.org"
  backends        = ["198.18.0.2:443", "198.18.0.3:443"]
  tls_passthrough = true
  description     = "ends TLS itself"
}

output "fqdn" {
  value = grid_fqdn_proxy.p1.fqdn
}
