output "n" { value = 1 }
output "e" { value = null }
output "m" { value = {a=null} }
resource "terraform_data" "a" { input = { a = 1, b = [] } }
output "x" { value = terraform_data.a.output }