resource "terraform_data" "j" {
input=1
}
output "o" {
 value = terraform_data.j.output
}
moved {
from=terraform_data.i
to=terraform_data.j
}
