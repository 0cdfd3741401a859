resource "terraform_data" "a" { input = 1 }
output "id" { value = { i = terraform_data.a.id, k = [1, terraform_data.a.output] } }