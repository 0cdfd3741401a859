
variable "e" { 
  type = string
  ephemeral = true 
  default = "d"
}
locals { l = "a-${var.e}" }
resource "terraform_data" "x" { 
  input = 1
  provisioner "local-exec" { 
    command = "echo $V > out.txt" 
    environment = { V = local.l }
  }
}
