
module "m" { 
  source = "./m" 
  v = var.v
}
resource "terraform_data" "c" { 
  triggers_replace = module.m.id
  lifecycle { create_before_destroy = true } 
}
variable "v" { default = 1 }
