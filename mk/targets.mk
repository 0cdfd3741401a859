# deps, check, demo, bench, fuzz, lint, install, clean

.PHONY: clean
clean:
	rm -rf $(B)
