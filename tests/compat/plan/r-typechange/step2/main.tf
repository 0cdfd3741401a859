resource "terraform_data" "b" { input = toset(["a"]) }
output "o" { value = terraform_data.b.output }