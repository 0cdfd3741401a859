variable "node" {
  type        = string
  default     = "n1"
  description = "Node that everything runs on, by its name in the inventory."
}

variable "sites" {
  type        = set(string)
  default     = ["hello"]
  description = "Names of the sites; each becomes a host name under the node's domain."

  validation {
    condition     = length(var.sites) > 0 && alltrue([for s in var.sites : can(regex("^[a-z][a-z0-9-]*$", s))])
    error_message = "At least one site is needed, and names consist of small letters, digits and dashes."
  }
}

variable "port" {
  type        = number
  default     = 8000
  description = "Port the web server listens on, inside the network."

  validation {
    condition     = var.port > 0 && var.port < 65536
    error_message = "A port is a number from 1 to 65535, not ${var.port}."
  }
}

variable "greeting" {
  type        = string
  default     = "hello"
  description = "Text in /greeting.txt. A change restarts the machine."
}

variable "content" {
  type        = string
  default     = null
  description = "Folder with the machine's root file system; the one that `make` builds when not given."
}
