resource "terraform_data" "b" {}
module "m" { source = "./m" }