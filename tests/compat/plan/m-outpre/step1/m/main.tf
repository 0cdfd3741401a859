
resource "terraform_data" "x" { input = 1 }
output "v" {
  value = terraform_data.x.output
  precondition {
    condition = terraform_data.x.output == 2
    error_message = "not two"
  }
}
