resource "terraform_data" "b" { input = ["a"] }
output "o" { value = terraform_data.b.output }