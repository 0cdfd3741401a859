terraform { required_version = ">= 1.5, < 2.0" }
output "o" { value = 1 }