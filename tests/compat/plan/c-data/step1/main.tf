
resource "terraform_data" "a" { input = "other.tfstate" }
check "ok" {
  data "terraform_remote_state" "r" { 
    backend = "local"
    config = { path = "other.tfstate" }
  }
  assert {
    condition = data.terraform_remote_state.r.outputs.v == 1
    error_message = "v"
  }
}
check "missing" {
  data "terraform_remote_state" "n" { 
    backend = "local"
    config = { path = "nope.tfstate" }
  }
  assert {
    condition = data.terraform_remote_state.n.outputs.v == 1
    error_message = "v"
  }
}
check "later" {
  data "terraform_remote_state" "l" { 
    backend = "local"
    config = { path = terraform_data.a.output }
  }
  assert {
    condition = data.terraform_remote_state.l.outputs.v == 2
    error_message = "v is ${data.terraform_remote_state.l.outputs.v}"
  }
}
