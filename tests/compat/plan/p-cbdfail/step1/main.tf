
variable "v" { default = 0 }
resource "terraform_data" "a" { 
  triggers_replace = var.v
  lifecycle { create_before_destroy = true }
  provisioner "local-exec" { command = "exit ${var.v}" }
}
