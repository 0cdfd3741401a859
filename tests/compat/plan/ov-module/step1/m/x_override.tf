output "o" {
 value = "inner"
}
