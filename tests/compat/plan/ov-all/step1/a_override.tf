variable "v" {
 default = "over"
}
locals {
 a = 7
}
resource "terraform_data" "x" {
 input = "fixed"
 lifecycle {
 create_before_destroy = true
 }
}
module "m" {
 v = "two"
}
output "o" {
 sensitive = true
}
