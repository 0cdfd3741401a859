
variable "v" { default = "1" }
resource "terraform_data" "a" { 
  for_each = { x = "1", y = var.v }
  input = each.value
}
resource "terraform_data" "b" { 
  for_each = { x = 1, y = 2 }
  lifecycle { replace_triggered_by = [terraform_data.a[each.key].input] }
}
