# What runs inside machines: the tiny init (static, musl) and the initramfs around it.

.PHONY: guest
guest:
