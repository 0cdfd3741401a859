resource "terraform_data" "i" {
input=1
}
output "o" {
 value = terraform_data.i.output
}
