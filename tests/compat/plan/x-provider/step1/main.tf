terraform { required_providers { foo = { source = "acme/foo" } } }
resource "foo_x" "a" {}