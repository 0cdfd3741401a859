resource "terraform_data" "a" { 
 input = { x = 2, y = [5,6] }
 lifecycle { ignore_changes = [input.x, input.y[0]] }
}