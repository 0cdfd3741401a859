
variable "v" {
  validation { 
    condition = var.v < 10
    error_message = "big"
  }
}
resource "terraform_data" "x" { 
  input = var.v 
  lifecycle { 
    postcondition {
      condition = self.output < 5
      error_message = "post"
    }
  }
}
output "v" { 
  value = terraform_data.x.output
  precondition {
    condition = terraform_data.x.output > 0
    error_message = "neg"
  }
}
check "inner" {
  assert {
    condition = terraform_data.x.output == 1
    error_message = "inner ${var.v}"
  }
}
