
resource "terraform_data" "a" { input = "x" }
check "e" {
  assert {
    condition = tonumber(terraform_data.a.output) == 1
    error_message = "v"
  }
}
