locals {
  l2 = length(terraform_data.r2)
}
resource "terraform_data" "r0" {
}
resource "terraform_data" "r1" {
  count = 2
  input = count.index
  lifecycle {
    create_before_destroy = true
    replace_triggered_by = [terraform_data.r0.output]
  }
}
resource "terraform_data" "r2" {
  count = length(["x y"])
  input = tomap({ p = 1 })
  triggers_replace = [try(terraform_data.r1[0].input, "none"), "x y"]
}
output "o0" {
  value = length(terraform_data.r1)
}
