resource "terraform_data" "a" {
triggers_replace = "x"
}
import {
 to = terraform_data.a
 id = "abc"
 
}
