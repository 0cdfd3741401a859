module "n" {
source="./m"
count=2
}
moved {
from=module.m
to=module.n
}
