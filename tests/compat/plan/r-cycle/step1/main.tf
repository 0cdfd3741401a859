resource "terraform_data" "a" { input = terraform_data.b.id }
resource "terraform_data" "b" { input = local.x }
locals { x = terraform_data.a.id }