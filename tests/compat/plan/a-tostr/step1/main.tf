resource "terraform_data" "a" { input = [1, "1", true, 1.0, 1e3, 0.1, 100000000000000000000, -5] }
output "o" { value = [for v in terraform_data.a.input : "${v}"] }