variable "a" { type = object({x=string}) }
output "a" { value = var.a }