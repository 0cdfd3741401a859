
resource "terraform_data" "a" { input = "other.tfstate" }
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = terraform_data.a.output }
  defaults = { v = 9 }
}
output "x" { value = data.terraform_remote_state.r.outputs.v }
