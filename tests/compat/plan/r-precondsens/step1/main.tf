
variable "v" { 
  default = 1 
  sensitive = true
}
resource "terraform_data" "a" { 
  lifecycle { 
    precondition { 
      condition = var.v > 5
      error_message = "too small: ${var.v}"
    }
  }
}
