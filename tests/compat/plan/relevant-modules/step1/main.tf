variable "v" { default = 2 }
resource "terraform_data" "a" { input = { x = { y = [1,2] } } }
resource "terraform_data" "b" { input = terraform_data.a.output.x.y[0] }
resource "terraform_data" "c" {
  count = 2
  input = terraform_data.b.id
}
resource "terraform_data" "e" {
  for_each = { for i, c in terraform_data.c : i => c.id if i < 1 }
  input = each.value
  triggers_replace = [local.l, terraform_data.c[0].output, terraform_data.c[1]]
}
resource "terraform_data" "lonely" { input = terraform_data.used_in_cond.input == 1 ? 1 : 2 }
resource "terraform_data" "used_in_cond" { 
  input = 1
  lifecycle {
 precondition { 
  condition = terraform_data.a.id != ""
  error_message = "x" 
 }
}
}
locals { l = terraform_data.a.id }
module "m" { 
  source = "./m"
  count = 2
  x = terraform_data.c[*].id
}
output "o" { value = module.m[0].y }
output "o2" { value = module.m }
output "o3" { value = local.l }
