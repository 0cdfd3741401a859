locals {
 a = 3
}
