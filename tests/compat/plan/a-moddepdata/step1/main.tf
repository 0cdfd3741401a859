
variable "v" { default = 1 }
resource "terraform_data" "x" { input = var.v }
module "m" { 
  source = "./m"
  depends_on = [terraform_data.x]
}
output "o" { value = module.m.o }
