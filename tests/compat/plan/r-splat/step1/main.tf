resource "terraform_data" "a" { 
 count = 3
 input = count.index
}
resource "terraform_data" "s" { input = 1 }
output "o" { value = terraform_data.a[*].output }
output "s" { value = terraform_data.s[*].output }
output "l" { value = length(terraform_data.a) }
output "z" { value = [for i, a in terraform_data.a : "${i}${a.output}"] }