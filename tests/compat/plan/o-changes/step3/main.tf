output "a" { 
 value = 2
 sensitive = true
}
output "d" { 
 value = { k = 2 }
}