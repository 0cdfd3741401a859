variable "name" {}
resource "terraform_data" "x" { 
 count = 2
 input = "${var.name}${count.index}" 
}
output "id" { value = terraform_data.x[*].output }
