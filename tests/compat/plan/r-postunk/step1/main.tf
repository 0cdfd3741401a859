
resource "terraform_data" "a" { 
  input = 1
  lifecycle { 
    postcondition {
      condition = length(self.id) == 3
      error_message = "id ${self.id} has a wrong length"
    }
  }
}
resource "terraform_data" "dep" { input = terraform_data.a.id }
resource "terraform_data" "other" { input = 1 }
