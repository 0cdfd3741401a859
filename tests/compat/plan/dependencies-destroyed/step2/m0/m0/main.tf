locals {
  l0 = []
}
resource "terraform_data" "r0" {
  input = null
  triggers_replace = true
}
resource "terraform_data" "r1" {
  input = toset(["a", "b", "c"])
  lifecycle {
    ignore_changes = [triggers_replace]
    replace_triggered_by = [terraform_data.r0]
  }
}
resource "terraform_data" "r2" {
  count = 3
  input = count.index
  lifecycle {
    replace_triggered_by = [terraform_data.r1.id]
  }
}
resource "terraform_data" "r3" {
  for_each = toset([])
  input = 0
}
output "o0" {
  value = try(terraform_data.r2[0].output, "none")
}
