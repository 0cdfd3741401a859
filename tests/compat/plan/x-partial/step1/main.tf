
resource "terraform_data" "a" { input = 1 }
resource "terraform_data" "bad" { 
  input = terraform_data.a.id
  provisioner "local-exec" { command = "exit 1" }
}
resource "terraform_data" "after" { input = terraform_data.bad.id }
resource "terraform_data" "ok" { input = terraform_data.a.output }
output "ok" { value = terraform_data.ok.output }
output "after" { value = terraform_data.after.id }
