resource "terraform_data" "b" { 
 input = 1
 triggers_replace = { a = 1 }
}
resource "terraform_data" "c" { input = terraform_data.b.id }