
resource "terraform_data" "a" { 
  input = "v"
  provisioner "local-exec" { 
    command = "echo ${self.output} $X > out.txt; pwd | sed 's#.*/##' >> wd.txt"
    environment = { X = 3 }
  }
  provisioner "local-exec" { 
    command = "print('hi')"
    interpreter = ["python3", "-c"]
  }
  provisioner "local-exec" { 
    when = destroy
    command = "echo bye ${self.input} > bye.txt"
  }
}
