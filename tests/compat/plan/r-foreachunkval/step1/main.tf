resource "terraform_data" "a" { input = "x" }
resource "terraform_data" "b" { 
 for_each = { k = terraform_data.a.id }
 input = each.value
}