variable "p" {
 default="s"
 sensitive=true
}
output "o" { value = var.p }