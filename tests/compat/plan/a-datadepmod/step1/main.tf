
variable "v" { default = 1 }
module "m" { 
  source = "./m"
  v = var.v
}
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = "other.tfstate" }
  depends_on = [module.m]
}
output "o" { value = data.terraform_remote_state.r.outputs.v }
