module "m" {
source="./m"
for_each=toset(["a","b"])
}
moved {
from=module.m
to=module.m["a"]
}
