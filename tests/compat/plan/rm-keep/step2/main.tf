removed {
from=terraform_data.b
lifecycle {
destroy=false
}
}
resource "terraform_data" "a" {
input=1
}
