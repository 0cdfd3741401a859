output "a" { value = length(plantimestamp()) == length(timestamp()) }
output "w" { value = terraform.workspace }
output "p" { value = [path.module, path.root, basename(abspath(path.cwd)) != ""] }
output "u" { value = length(uuid()) }
output "b" { value = length(bcrypt("x")) }