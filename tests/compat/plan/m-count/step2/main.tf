
module "m" { 
  source = "./m"
  count = 1
  name = "n${count.index}" 
}
output "o" { value = module.m[*].id }
