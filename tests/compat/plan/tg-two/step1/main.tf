locals {
 l = terraform_data.a[0].id
}
resource "terraform_data" "a" {
 count = 3
 input = count.index
}
resource "terraform_data" "b" {
 input = local.l
}
resource "terraform_data" "c" {
 input = module.m.o
}
resource "terraform_data" "d" {
 input = "d"
}
module "m" {
 source = "./m"
 v = terraform_data.d.id
}
output "oa" {
 value = terraform_data.a[1].id
}
output "ob" {
 value = terraform_data.b.id
}
output "oc" {
 value = terraform_data.c.output
}
output "lit" {
 value = 1
}
