variable "v0" { default = null }
variable "v1" {
  type = any
  default = "é"
}
resource "terraform_data" "r0" {
  input = "${jsonencode(var.v1)}-c"
  triggers_replace = "b"
}
resource "terraform_data" "r1" {
  input = "${jsonencode(terraform_data.r0.id)}-a"
}
resource "terraform_data" "r2" {
  count = 0
  input = count.index
  lifecycle {
    replace_triggered_by = [terraform_data.r0]
  }
}
resource "terraform_data" "r3" {
  input = try(terraform_data.r2[0].input, "none")
  lifecycle {
    create_before_destroy = true
  }
}
output "o0" {
  value = try(terraform_data.r2[0].input, "none")
}
