# A controller for two stacks of one repository. See docs/sync.md.
data_dir = "/var/lib/zplan-sync"

repository "infra" {
  url = "https://git.example.org/team/infra.git"
}

stack "network" {
  repo    = "infra"
  path    = "network"
  approve = "no-destroy"
  drift   = "heal"
}

stack "app" {
  repo        = "infra"
  path        = "app"
  depends_on  = ["network"]
  approve     = "auto"
  max_destroy = 3
}
