variable "x" {}
resource "terraform_data" "in" {
  input = var.x[count.index]
  count = 1
}
output "y" { value = terraform_data.in[0].output }
output "z" { value = terraform_data.in }
