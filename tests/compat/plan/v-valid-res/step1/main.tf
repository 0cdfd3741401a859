
resource "terraform_data" "r" { input = 3 }
variable "a" {
  type = number
  default = 5
  validation {
    condition = var.a > terraform_data.r.output
    error_message = "too small"
  }
}
output "o" { value = var.a }
