locals {
 b = 9
}
