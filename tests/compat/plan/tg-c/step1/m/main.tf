variable "v" {}
resource "terraform_data" "i" {
input=var.v
}
resource "terraform_data" "j" {
input="j"
}
output "o" {
 value = terraform_data.i.output
}
