resource "terraform_data" "a" { 
 input = { x = 3, y = [7,6] }
 lifecycle { ignore_changes = [input.x, input.y[0]] }
}