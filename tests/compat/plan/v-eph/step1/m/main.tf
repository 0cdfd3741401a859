variable "e" { ephemeral = true }
output "e" { 
 value = var.e
 ephemeral = true
}
output "ok" { value = "${terraform.applying}" == "x" ? ephemeralasnull(var.e) : null }
