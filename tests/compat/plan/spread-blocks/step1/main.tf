variable "v" { default = 1 }
resource "terraform_data" "a" {
  count = 2
  triggers_replace = var.v
}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "c" {
  count = 2
  triggers_replace = var.v
}
resource "terraform_data" "d" {
  count = 0
  depends_on = [terraform_data.c]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "e" {
  count = 2
  triggers_replace = var.v
}
resource "terraform_data" "f" {
  input = terraform_data.e[0].input
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "g" {
  count = 2
  triggers_replace = var.v
}
resource "terraform_data" "h" {
  count = 0
  input = terraform_data.g[0].input
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "i" {
  count = 2
  triggers_replace = var.v
}
resource "terraform_data" "j" {
  input = terraform_data.i[0].id
  lifecycle { create_before_destroy = true }
}
