
variable "p" { 
  default = "s"
  sensitive = true
}
check "e" {
  assert {
    condition = var.p == "t"
    error_message = "is ${var.p}"
  }
}
