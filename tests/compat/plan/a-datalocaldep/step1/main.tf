
variable "v" { default = 1 }
resource "terraform_data" "x" { input = var.v }
locals { p = "${terraform_data.x.id == "" ? "" : "other"}.tfstate" }
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = local.p }
}
output "o" { value = data.terraform_remote_state.r.outputs.v }
