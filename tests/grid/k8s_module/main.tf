variable "ssh_key" {
  type    = string
  default = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRzXw9 user@laptop"
}

module "kubernetes" {
  source       = "./modules/kubernetes"
  ssh_key      = var.ssh_key
  token        = "ajdkfKJKDJF928JFJFA"
  network_name = "clusternet"

  master = {
    name = "main"
    node = 11
    cpu  = 2
  }

  workers = [
    { name = "w1", node = 11, memory = 1024 },
    { name = "w2", node = 45, publicip = true },
    { name = "w3", node = 7, disk_size = 3 },
  ]
}

output "kubernetes" {
  value     = module.kubernetes
  sensitive = true
}

output "nodes" {
  value = module.kubernetes.nodes
}
