resource "terraform_data" "a" { 
 input = tomap({ x = 2, new = 3, z = 1 })
 lifecycle { ignore_changes = [input["x"], input["new"]] }
}