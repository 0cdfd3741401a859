variable "v" {}
resource "terraform_data" "in" { triggers_replace = var.v }
output "id" { value = terraform_data.in.id }