
locals {
  people = { ann = { age = 3, tags = ["x", "y"] }, bob = { age = 5, tags = [] } }
  flat = flatten([for n, p in local.people : [for t in p.tags : { n = n, t = t }]])
  by = { for f in local.flat : "${f.n}-${f.t}" => f }
  grp = { for n, p in local.people : p.age > 4 ? "old" : "young" => n... }
}
resource "terraform_data" "a" { 
  for_each = local.by
  input = each.value
}
output "g" { value = local.grp }
output "ids" { value = keys(terraform_data.a) }
output "v" { value = values(terraform_data.a)[*].output.t }
