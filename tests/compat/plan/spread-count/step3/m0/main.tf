variable "v0" {
  type = any
  default = 3
}
resource "terraform_data" "r0" {
  input = "${jsonencode(var.v0)}-a"
}
resource "terraform_data" "r1" {
  for_each = { for k in ["a", "z"] : k => upper(k) }
  input = terraform_data.r0.output
}
resource "terraform_data" "r2" {
  count = 2
  input = tomap({ p = "q" })
}
module "m0" {
  source = "./m0"
  for_each = { a = 1, c = 2 }
  v0 = try(terraform_data.r2[0].input, "none")
}
output "o0" {
  value = terraform_data.r0.triggers_replace
}
