resource "terraform_data" "a" { depends_on = [terraform_data.b, module.m] }
resource "terraform_data" "b" {}
module "m" { source = "./m" }