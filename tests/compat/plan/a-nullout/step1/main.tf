output "n" { value = null }
output "e" { value = [] }
output "m" { value = {} }
resource "terraform_data" "a" { input = { a = null, b = [null] } }
output "x" { value = terraform_data.a.output }