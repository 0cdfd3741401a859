
resource "terraform_data" "a" { input = var.v }
variable "v" { default = 1 }
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = "other.tfstate" }
  depends_on = [terraform_data.a]
}
resource "terraform_data" "b" { input = data.terraform_remote_state.r.outputs.v }
