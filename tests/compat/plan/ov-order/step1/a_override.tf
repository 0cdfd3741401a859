locals {
 a = 2
}
