resource "terraform_data" "x" { input = 5 }
output "v" { value = terraform_data.x.output }
