
variable "a" {
  type = map(object({
    name = string
    opts = optional(object({ size = optional(number, 3), tags = optional(map(string), {}) }), {})
    list = optional(list(object({ x = optional(string, "dx") })), [{}])
    any  = optional(any)
  }))
  default = { one = { name = "1" }, two = { name = "2", opts = { size = 9 }, any = [1] } }
}
output "a" { value = var.a }
