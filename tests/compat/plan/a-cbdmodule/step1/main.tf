
variable "v" { default = 1 }
resource "terraform_data" "base" { triggers_replace = var.v }
module "m" { 
  source = "./m"
  v = terraform_data.base.id
}
resource "terraform_data" "top" { 
  input = module.m.id
  lifecycle { create_before_destroy = true }
}
