variable "i" {}
resource "terraform_data" "a" {
input = 1
}
check "c" {

assert {
 condition = var.i == 0
 error_message = "idx ${var.i}"
}
}
