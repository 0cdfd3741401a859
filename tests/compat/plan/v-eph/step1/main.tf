
variable "e" { 
  type = string
  ephemeral = true 
}
resource "terraform_data" "x" { input = nonsensitive("a") }
output "o" { value = ephemeralasnull(var.e) }
module "m" { 
 source = "./m" 
 e = var.e
}
output "ok" { value = module.m.ok }
