data "terraform_remote_state" "r" { 
 backend = "local"
 config = { path = "nope.tfstate" }
}
output "o" { value = 1 }