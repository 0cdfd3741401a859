variable "name" { type = string }

variable "replicas" { type = number }

variable "ports" { type = list(number) }

resource "terraform_data" "image" {
  input            = "${var.name}:1"
  triggers_replace = var.ports

  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "replica" {
  count = var.replicas
  input = { image = terraform_data.image.output, number = count.index }

  lifecycle {
    postcondition {
      condition     = startswith(self.output.image, var.name)
      error_message = "A replica of another service."
    }
  }
}

output "endpoints" {
  value = [for r in terraform_data.replica : [for p in var.ports : "${var.name}-${r.output.number}:${p}"]]
}
