
module "m" { 
  source = "./m"
  count = 0
}
output "o" { value = module.m }
output "p" { value = one(module.m[*].v) }
output "q" { value = try(module.m[0].v, "none") }
