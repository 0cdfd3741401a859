module "m" { source = "./m" }
resource "terraform_data" "k" { input = module.m.v }