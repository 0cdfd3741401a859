
variable "a" {
  type = number
  validation {
    condition = var.a > 3
    error_message = "a must be > 3, is ${var.a}."
  }
  validation {
    condition = var.a < local.max
    error_message = "a must be < ${local.max}"
  }
}
locals { max = 10 }
resource "terraform_data" "x" { input = var.a }
