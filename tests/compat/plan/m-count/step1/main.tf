
module "m" { 
  source = "./m"
  count = 2
  name = "n${count.index}" 
}
output "o" { value = module.m[*].id }
output "all" { value = module.m }
