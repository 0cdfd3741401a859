variable "v" {}
module "b" { 
 source = "../b"
 for_each = { k = var.v }
 v = each.value 
}
output "v" { value = module.b["k"].v }