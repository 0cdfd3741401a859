
variable "p" { 
  default = "secret" 
  sensitive = true 
}
resource "terraform_data" "x" { 
  input = { p = var.p, q = "open" } 
  triggers_replace = [var.p]
}
resource "terraform_data" "y" { input = terraform_data.x.output }
output "o" { 
  value = terraform_data.x.output 
  sensitive = true 
}
