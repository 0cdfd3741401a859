
resource "terraform_data" "a" { input = 1 }
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = "${path.module}/other.tfstate" }
}
output "x" { value = data.terraform_remote_state.r.outputs.v }
output "y" { value = try(data.terraform_remote_state.r.outputs.w, "none") }
