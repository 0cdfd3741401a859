resource "terraform_data" "x" { input = 1 }
output "v" { value = terraform_data.x.id }