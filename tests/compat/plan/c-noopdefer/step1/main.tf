
variable "v" { default = 1 }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { 
  input = 1
  lifecycle { 
    precondition { 
      condition = terraform_data.a.output < 5
      error_message = "a is ${terraform_data.a.output}"
    }
  }
}
