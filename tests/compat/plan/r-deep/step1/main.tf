
resource "terraform_data" "b" { 
  input = { 
    n = null
    l = [1, "a", true, null, [], {}]
    s = toset(["b", "a"])
    m = tomap({ k = "v" })
    f = 1.5
    big = 123456789012345678901234567890
    small = 0.000000001
    neg = -0
    u = "é\u00e9\n\"<>&"
    tup = [{ a = 1 }, { b = 2 }]
  }
}
output "o" { value = terraform_data.b.output }
output "raw" { value = terraform_data.b }
