
check "e" {
  assert {
    condition = tonumber("x") == 1
    error_message = "v"
  }
}
check "f" {
  assert {
    condition = terraform.workspace == "x"
    error_message = tonumber("y")
  }
}
