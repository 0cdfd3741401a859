
variable "v" { default = 1 }
resource "terraform_data" "a" { 
  count = 2
  input = var.v 
}
resource "terraform_data" "b" { 
  count = 2
  lifecycle { replace_triggered_by = [terraform_data.a[count.index]] }
}
resource "terraform_data" "c" { 
  lifecycle { replace_triggered_by = [terraform_data.a[0].output] }
}
resource "terraform_data" "d" {
  lifecycle { replace_triggered_by = [terraform_data.a] }
}
