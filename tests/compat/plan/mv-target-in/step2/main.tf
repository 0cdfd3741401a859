resource "terraform_data" "b" {
input = 1
}
resource "terraform_data" "o" {
input = 3
}
moved {
 from = terraform_data.a
 to = terraform_data.b
}
