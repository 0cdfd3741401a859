terraform { experiments = [zzz] }
output "o" { value = 1 }