
data "terraform_remote_state" "r" { 
  for_each = toset(["other"])
  backend = "local"
  config = { path = "${each.key}.tfstate" }
}
output "x" { value = { for k, d in data.terraform_remote_state.r : k => d.outputs } }
output "w" { value = data.terraform_remote_state.r["other"].workspace }
