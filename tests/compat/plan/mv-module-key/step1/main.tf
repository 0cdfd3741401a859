module "m" {
source="./m"
}
