
data "terraform_remote_state" "r" { 
  backend = "local"
  config = { path = "other.tfstate" }
  lifecycle { 
    postcondition { 
      condition = self.outputs.v == 2
      error_message = "v is not 2"
    }
  }
}
output "x" { value = data.terraform_remote_state.r.outputs.v }
