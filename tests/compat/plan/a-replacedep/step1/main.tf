
variable "v" { default = 1 }
resource "terraform_data" "a" { triggers_replace = var.v }
resource "terraform_data" "b" { 
  input = terraform_data.a.id
  triggers_replace = terraform_data.a.id
}
resource "terraform_data" "c" { 
  count = 2
  input = [terraform_data.b.id, count.index]
}
