resource "terraform_data" "a" { input = ["1", 1, "true", 1, 1000, 0.10, 100000000000000000000, -5] }
output "o" { value = jsonencode(terraform_data.a.input) }