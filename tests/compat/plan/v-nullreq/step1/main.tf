variable "a" { nullable = false }
output "o" { value = var.a }