resource "terraform_data" "b" { 
 input = 2
}
resource "terraform_data" "c" { input = terraform_data.b.id }