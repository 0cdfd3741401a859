# What the expressions beside this file may refer to. Variables without a default are unknown.

variable "unset" {}

variable "unset_string" {
  type = string
}

variable "unset_number" {
  type = number
}

variable "unset_bool" {
  type = bool
}

variable "unset_list" {
  type = list(string)
}

variable "unset_set" {
  type = set(string)
}

variable "unset_map" {
  type = map(string)
}

variable "unset_object" {
  type = object({
    name = string
    size = number
  })
}

variable "secret" {
  default   = "swordfish"
  sensitive = true
}

variable "secret_map" {
  type      = map(string)
  default   = { user = "alice", key = "k" }
  sensitive = true
}

variable "secret_list" {
  type      = list(number)
  default   = [30, 10]
  sensitive = true
}

variable "passing" {
  default   = "gone soon"
  ephemeral = true
}

variable "disks" {
  type = map(object({
    size  = number
    mount = optional(string, "/mnt")
    tags  = optional(set(string), [])
    cache = optional(object({
      mode  = optional(string, "none")
      limit = optional(number)
    }), {})
  }))
  default = {
    data = { size = "10", tags = ["b", "a", "b"] }
    logs = { size = 5, mount = "/var/log", cache = { limit = 2 } }
    swap = { size = 1, cache = null, extra = true }
  }
}

variable "port" {
  type    = number
  default = "8080"
}

locals {
  names  = ["ada", "bob", "cyd"]
  empty  = []
  none   = null
  text   = "hello"
  number = 12
  object = { a = 1, b = { c = ["x", "y"] } }
  hosts = [
    { name = "h1", ip = "10.0.0.1", roles = ["web"] },
    { name = "h2", ip = "10.0.0.2", roles = ["web", "db"] },
  ]
  template = "$${greeting}, $${name}%%{ if loud }!%%{ endif }"
  letter   = <<-EOT
    Dear ${local.names[0]},
      welcome.
  EOT
}
