locals {
m={x="id1",y="id2"}
}
import {
for_each=local.m
to=terraform_data.a[each.key]
id=each.value
}
resource "terraform_data" "a" {
for_each=local.m
}
