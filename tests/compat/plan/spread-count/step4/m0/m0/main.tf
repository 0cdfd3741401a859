variable "v0" {
  type = any
  default = null
}
resource "terraform_data" "r0" {
  count = 0
  input = {}
  lifecycle {
    create_before_destroy = true
    precondition {
      condition = var.v0 != "zzz"
      error_message = "no"
    }
  }
}
output "o0" {
  value = try(terraform_data.r0[0].triggers_replace, "none")
}
