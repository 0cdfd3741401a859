resource "terraform_data" "r0" {
  input = "${jsonencode(tomap({ p = 1 }))}-c"
}
resource "terraform_data" "r1" {
  input = terraform_data.r0.triggers_replace
  triggers_replace = "a"
}
resource "terraform_data" "r2" {
  input = terraform_data.r0.input
  triggers_replace = { k = [true], l = [""] }
  depends_on = [terraform_data.r0]
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "r3" {
  input = {}
}
module "m0" {
  source = "./m0"
  for_each = { a = 1, c = 2 }
}
output "o0" {
  value = values(module.m0)[*].o0
}
