resource "terraform_data" "a" { input = 1 }
output "a" { 
 value = 1
 depends_on = [terraform_data.a]
}