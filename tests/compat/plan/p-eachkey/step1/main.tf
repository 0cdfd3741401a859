
resource "terraform_data" "a" { 
  for_each = { x = 1, y = 2 }
  provisioner "local-exec" { 
    command = "echo ${each.key} ${each.value} >> ${each.key}.txt" 
  }
  provisioner "local-exec" { 
    when = destroy
    command = "echo ${each.key} >> gone.txt" 
  }
}
