
variable "a" { 
  default = "x" 
  nullable = false 
}
variable "b" { default = "y" }
module "m" { 
  source = "./m" 
  a = null 
  b = null 
}
output "o" { value = [var.a, var.b, module.m.a, module.m.b] }
