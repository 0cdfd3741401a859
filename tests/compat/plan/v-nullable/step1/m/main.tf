
variable "a" { 
  type = string
  default = "ma" 
  nullable = false 
}
variable "b" { 
 type = string
 default = "mb" 
}
output "a" { value = var.a }
output "b" { value = var.b }
