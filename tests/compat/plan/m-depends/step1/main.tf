
resource "terraform_data" "first" { input = 1 }
module "m" { 
  source = "./m"
  depends_on = [terraform_data.first]
}
module "n" {
  source = "./m"
  depends_on = [module.m]
}
output "o" { value = module.n.v }
