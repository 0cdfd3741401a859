variable "nodes" {
  type        = list(string)
  default     = ["n1", "n2"]
  description = "The two nodes, by their names in the inventory; at least one of them has a public address."

  validation {
    condition     = length(distinct(var.nodes)) == 2 && length(var.nodes) == 2
    error_message = "Two different nodes are needed."
  }
}

variable "content" {
  type        = string
  default     = null
  description = "Folder with the machines' root file system; the one that `make` builds when not given."
}
