
module "m" { 
  source = "./m"
  v = terraform_data.a.output
}
resource "terraform_data" "a" { input = 20 }
