
variable "v" { default = 1 }
resource "terraform_data" "a" { 
  input = var.v
  lifecycle { 
    precondition { 
      condition = var.v < 5
      error_message = "too big: ${var.v}"
    }
    postcondition {
      condition = self.output != 3
      error_message = "three"
    }
  }
}
resource "terraform_data" "dep" { input = terraform_data.a.output }
