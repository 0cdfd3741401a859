
a = [{ n = "one" }, { n = "two", p = "8080", t = null }]
b = { x = 1, y = "2" }
c = ["b", "a", "b"]
d = [1, "2", "true"]
e = { k = [1, "a", null] }
