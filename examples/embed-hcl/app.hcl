greeting = "${upper("hello")}, ${coalesce(env.WHO, "world")}"

service "web" {}
service "mail" {}
