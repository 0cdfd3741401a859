variable "v" {}
resource "terraform_data" "in" { input = var.v }