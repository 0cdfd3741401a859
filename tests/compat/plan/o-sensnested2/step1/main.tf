output "a" { 
 value = { x = sensitive("s"), y = 1 } 
 sensitive = true
}