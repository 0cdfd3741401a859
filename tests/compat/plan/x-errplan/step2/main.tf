resource "terraform_data" "a" { input = 1 }
resource "terraform_data" "b" { input = [1][5] }
output "o" { value = tonumber("x") }