data "terraform_remote_state" "r" { 
 backend = "local"
 config = { path = "other.tfstate" }
}
output "o" { value = data.terraform_remote_state.r.outputs.v }