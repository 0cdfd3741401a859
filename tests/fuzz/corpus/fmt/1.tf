resource "a" "b" {
count=1
 name   = "${var.x}" # why
  tags = { a=1, "b" : 2 }
dynamic "x" {
for_each = [for k,v in m: v if k!="a"]
content {
y=<<-EOT
  text ${1+2}
  EOT
}
}
}
variable "t" { type = "list" }
