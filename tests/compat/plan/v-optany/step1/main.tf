
variable "a" {
  type = object({ any  = optional(any), l = optional(set(string)) })
  default = { l = ["b","a"] }
}
output "a" { value = var.a }
resource "terraform_data" "x" { input = var.a }
