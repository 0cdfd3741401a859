
module "a" { 
  source = "./a"
  v = terraform_data.r.output 
}
resource "terraform_data" "r" { input = "in" }
output "o" { value = module.a.v }
