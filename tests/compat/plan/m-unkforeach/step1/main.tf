
resource "terraform_data" "r" { input = ["a"] }
module "m" { 
  source = "./m" 
  for_each = toset(terraform_data.r.output)
}
