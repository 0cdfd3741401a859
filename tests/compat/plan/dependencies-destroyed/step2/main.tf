variable "v0" {
  type = any
  default = [{ m = {}, l = 2 }, []]
}
variable "v1" { default = false }
resource "terraform_data" "r0" {
  for_each = toset([])
  input = 1
  triggers_replace = var.v0
}
resource "terraform_data" "r1" {
  input = { l = "x y" }
  lifecycle {
    postcondition {
      condition = self.id != ""
      error_message = "no"
    }
  }
}
resource "terraform_data" "r2" {
  input = [try(terraform_data.r0[0].triggers_replace, "none"), "é"]
}
module "m0" {
  source = "./m0"
  for_each = toset(["a"])
}
output "o0" {
  value = terraform_data.r1.input
}
output "o1" {
  value = terraform_data.r1.triggers_replace
}
