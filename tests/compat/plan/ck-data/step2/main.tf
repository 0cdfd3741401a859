resource "terraform_data" "a" {
input = 1
}
check "c" {
data "terraform_remote_state" "r" {
 backend = "local"
 config = { path = "s.json" }
}

assert {
 condition = data.terraform_remote_state.r.outputs.o == 1
 error_message = "no"
}
}
