variable "node" {
  type        = string
  default     = "n1"
  description = "The gateway, which also runs the machines: a node of the inventory with a domain."
}

variable "web" {
  type        = string
  default     = "web"
  description = "Name whose TLS ends at the gateway."
}

variable "secure" {
  type        = string
  default     = "secure"
  description = "Name whose TLS goes on to the backend."
}

variable "content" {
  type        = string
  default     = "../../build/rootfs"
  description = "Folder with the plain machines' root file system; beside it, with -tls at the end, the other's. `make` builds both."
}
