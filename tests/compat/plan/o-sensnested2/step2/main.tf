output "a" { 
 value = { x = sensitive("s"), y = 2 } 
 sensitive = true
}