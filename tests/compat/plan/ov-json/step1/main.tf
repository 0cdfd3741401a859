variable "v" {
  default     = "base"
  description = "d"
}
locals {
  a = 1
  b = local.a
}
resource "terraform_data" "x" {
  input            = var.v
  triggers_replace = local.b
  lifecycle {
    ignore_changes = [input]
  }
}
module "m" {
  source = "./m"
  v      = "one"
}
output "o" {
  value = [terraform_data.x.input, module.m.o]
}
