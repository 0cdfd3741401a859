variable "a" { type = map(list(number)) }
output "a" { value = var.a }