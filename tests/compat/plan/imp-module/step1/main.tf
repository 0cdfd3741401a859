import {
to=module.m.terraform_data.i
id="qq"
}
module "m" {
source="./m"
}
