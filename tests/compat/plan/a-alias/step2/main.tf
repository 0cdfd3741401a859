
provider "terraform" { alias = "x" }
