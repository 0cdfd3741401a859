resource "terraform_data" "a" { input = "x" }
locals { 
  s = "pre-${terraform_data.a.id}"
 l = [terraform_data.a.id, "k"]
 m = { (terraform_data.a.input) = terraform_data.a.id }
}
resource "terraform_data" "b" { input = { s = local.s, l = local.l, m = local.m, n = length(local.l), u = upper(local.s), c = terraform_data.a.id == null, st = startswith(local.s, "pre") } }