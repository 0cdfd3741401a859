terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

resource "grid_deployment" "d" {
  node = 11

  zdbs {
    name        = "zdb1"
    size        = 10
    description = "a store"
    password    = "zdbpasswd1"
    mode        = "user"
  }
}

output "endpoint" {
  value = format("[%s]:%d", try(grid_deployment.d.zdbs[0].ips[1], ""), grid_deployment.d.zdbs[0].port)
}
