variable "nodes" {
  type        = list(string)
  default     = ["n1", "n2"]
  description = "Nodes of the inventory; the master is on the first, which is also the gateway."
}

variable "workers" {
  type        = number
  default     = 2
  description = "How many workers there are. A change adds or removes some, and touches nobody else."
}

variable "content" {
  type        = string
  default     = "../../build/rootfs-member"
  description = "Folder with the members' root file system; `make` builds it."
}
