resource "terraform_data" "b" { input = null }
output "o" { value = terraform_data.b.output }