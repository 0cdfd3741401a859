locals { a = sensitive({ k = 1 }) }
resource "terraform_data" "x" { input = local.a.k }
output "o" { value = nonsensitive(local.a.k) }