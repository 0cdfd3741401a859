
module "m" { 
  source = "./m"
  for_each = toset(["b","c"])
  name = each.key 
}
output "o" { value = { for k, v in module.m : k => v.id } }
