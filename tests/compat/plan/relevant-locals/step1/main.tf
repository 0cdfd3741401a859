resource "terraform_data" "a" { input = { x = { y = [1,2] } } }
locals { 
  l = terraform_data.a.id
  k = local.l
}
resource "terraform_data" "b" { input = local.k }
resource "terraform_data" "s" {
 input = 1
 lifecycle {
   precondition {
     condition = terraform_data.a.input != 7
     error_message = "x"
   }
   replace_triggered_by = [terraform_data.a.triggers_replace]
   }
   depends_on = [terraform_data.b]
   connection { host = terraform_data.b.input }
   provisioner "local-exec" { command = "echo ${terraform_data.b.triggers_replace == null ? "b" : "c"}" }
}
resource "terraform_data" "n" {
  count = length(terraform_data.a.input.x.y)
  input = "${count.index}${local.self_ok}"
}
locals { self_ok = 1 }
data "terraform_remote_state" "r" {
  backend = "local"
  config = { path = terraform_data.b.output == 3 ? "" : "x" }
  count = 0
}
output "o" {
value = data.terraform_remote_state.r[*].outputs.x.y 
sensitive=true
}
output "p" {
value = terraform_data.a.input.x["y"][1]
precondition {
 condition = terraform_data.n[0].id != ""
 error_message = "bla"
}
}
