module "m" {
source="./m"
}
moved {
from=terraform_data.i
to=module.m.terraform_data.i
}
