terraform {
  required_providers {
    grid = {
      source = "threefoldtech/grid"
    }
  }
}

provider "grid" {
}

variable "public_key" {
  type = string
}

variable "private_key" {
  type = string
}

resource "grid_network" "net1" {
  name     = "provnet"
  nodes    = [11]
  ip_range = "10.16.0.0/16"
}

resource "grid_deployment" "d1" {
  name         = "provisioned"
  node         = 11
  network_name = grid_network.net1.name
  depends_on   = [grid_network.net1]

  vms {
    name       = "target"
    flist      = "https://hub.grid.tf/tf-official-apps/base:latest.flist"
    entrypoint = "/sbin/zinit init"
    publicip   = true
    cpu        = 1
    memory     = 512
    env_vars = {
      SSH_KEY = file(var.public_key)
    }
  }

  connection {
    type        = "ssh"
    user        = "root"
    agent       = false
    private_key = file(var.private_key)
    host        = split("/", self.vms[0].computedip)[0]
    timeout     = "60s"
  }

  provisioner "file" {
    content     = "made by ${self.name}"
    destination = "/www/made"
  }

  provisioner "remote-exec" {
    inline = [
      "cat /www/made",
      "echo installed > /www/installed",
    ]
  }
}

resource "null_resource" "again" {
  triggers = {
    deployment = grid_deployment.d1.id
  }

  connection {
    type        = "ssh"
    user        = "root"
    private_key = file(var.private_key)
    host        = split("/", grid_deployment.d1.vms[0].computedip)[0]
  }

  provisioner "remote-exec" {
    inline = ["echo again >> /www/installed"]
  }
}

output "public_ip" {
  value = split("/", grid_deployment.d1.vms[0].computedip)[0]
}
