resource "terraform_data" "a" {
input = 1
}
import {
 to = data.terraform_remote_state.a
 id = "x"
 
}
