resource "terraform_data" "a" {
lifecycle {
 postcondition {
 condition = self.id == "x"
 error_message = "post"
 }
 }
}
