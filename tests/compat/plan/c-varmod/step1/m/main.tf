
variable "v" {
  validation { 
    condition = var.v < 10
    error_message = "big"
  }
}
resource "terraform_data" "x" { input = var.v }
