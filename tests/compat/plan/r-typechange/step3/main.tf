resource "terraform_data" "b" { input = tolist(["a"]) }
output "o" { value = terraform_data.b.output }