output "a" { value = 2 }
output "c" { value = [1,2] }
output "d" { value = { k = 1 } }
output "n" { value = null }