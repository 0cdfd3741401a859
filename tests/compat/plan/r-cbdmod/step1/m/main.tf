variable "v" {}
resource "terraform_data" "x" { triggers_replace = var.v }
output "id" { value = terraform_data.x.id }