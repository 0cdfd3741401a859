
resource "terraform_data" "b" { 
  input = { 
    l = ["1", "a", true]
    s = toset(["b", "c"])
    f = 1.50
  }
}
output "o" { value = terraform_data.b.output }
