locals {
 b = 4
}
