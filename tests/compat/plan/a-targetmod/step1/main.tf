
module "m" { 
  source = "./m"
  for_each = toset(["a","b"])
}
resource "terraform_data" "r" { input = module.m["a"].o }
resource "terraform_data" "s" { input = 1 }
