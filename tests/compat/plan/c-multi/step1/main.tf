
variable "v" { default = 1 }
resource "terraform_data" "a" { 
  count = 2
  input = count.index
  lifecycle { 
    precondition { 
      condition = var.v > 0
      error_message = "pre"
    }
    postcondition {
      condition = self.output < 5
      error_message = "post ${self.id}"
    }
  }
}
resource "terraform_data" "z" { 
  count = 0
  lifecycle { 
    precondition { 
      condition = var.v > 0
      error_message = "pre"
    }
  }
}
module "m" { 
  source = "./m"
  for_each = { k = 1, "l m" = 2 }
  v = each.value
}
check "fine" {
  assert {
    condition = length(terraform_data.a) == 2
    error_message = "two"
  }
}
check "bad" {
  assert {
    condition = var.v == 2
    error_message = "v is ${var.v}"
  }
  assert {
    condition = terraform_data.a[0].output == 0
    error_message = "first"
  }
  assert {
    condition = terraform_data.a[1].output == 0
    error_message = "second ${terraform_data.a[1].output}"
  }
}
output "o" { 
  value = terraform_data.a[0].id
  precondition {
    condition = terraform_data.a[1].output == 1
    error_message = "o"
  }
}
output "p" { 
  value = 1
  precondition {
    condition = var.v == 1
    error_message = "o"
  }
}
