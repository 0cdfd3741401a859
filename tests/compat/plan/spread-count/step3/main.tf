variable "v0" { default = "a" }
resource "terraform_data" "r0" {
  input = {}
  triggers_replace = 4
}
resource "terraform_data" "r1" {
  for_each = { for k in ["a", "z"] : k => upper(k) }
  input = each.key
  depends_on = [terraform_data.r0]
}
module "m0" {
  source = "./m0"
}
module "m1" {
  source = "./m1"
  count = 2
}
output "o0" {
  value = terraform_data.r0.input
}
output "o1" {
  value = terraform_data.r0.output
}
