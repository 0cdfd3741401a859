
variable "a" { type = list(object({ n = string, p = optional(number, 80), t = optional(list(string), ["x"]) })) }
variable "b" { type = map(any) }
variable "c" { type = set(string) }
variable "d" { type = tuple([string, number, bool]) }
variable "e" { type = any }
output "a" { value = var.a }
output "b" { value = var.b }
output "c" { value = var.c }
output "d" { value = var.d }
output "e" { value = var.e }
