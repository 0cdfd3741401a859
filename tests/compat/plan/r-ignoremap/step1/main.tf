resource "terraform_data" "a" { 
 input = tomap({ x = 1 })
 lifecycle { ignore_changes = [input["x"], input["new"]] }
}