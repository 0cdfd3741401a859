resource "terraform_data" "a" {
input = 1
}
removed {
 from = data.terraform_remote_state.x
 lifecycle {
 destroy = false
 }
}
