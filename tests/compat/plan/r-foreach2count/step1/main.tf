resource "terraform_data" "b" { 
 for_each = toset(["0","x"])
 input = each.key 
}