resource "terraform_data" "r0" {
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "r1" {
  input = terraform_data.r0.output
  triggers_replace = null
}
resource "terraform_data" "r2" {
  input = {  }
}
module "m0" {
  source = "./m0"
}
output "o0" {
  value = terraform_data.r2.triggers_replace
}
