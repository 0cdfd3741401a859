# deps, demo, check, bench, fuzz, lint, format, install, clean

.PHONY: deps
deps:
	@sh mk/deps.sh

# The first make installs the libraries; a second one, which then finds them, builds.
.PHONY: demo
demo: deps
	@$(MAKE) --no-print-directory all example-rootfs
	@bash mk/demo.sh $(B)

SAN_BUILD := $(B)/san
.PHONY: check
check: deps lint
	@$(MAKE) --no-print-directory -j2 all example-rootfs
	@$(MAKE) --no-print-directory -j2 B=$(SAN_BUILD) SAN=1 check-programs
	@bash mk/check.sh $(SAN_BUILD) $(patsubst tests/%.c,$(SAN_BUILD)/tests/%,$(wildcard tests/*/test_*.c))

.PHONY: check-programs
check-programs: $(B)/zplan $(B)/libhcl-lite.a guest example-rootfs tests

.PHONY: lint
lint:
	@sh mk/lint.sh

# BENCH="engine language" runs those subjects only.
.PHONY: bench
bench: all $(B)/tests/bench/language
	@bash mk/bench.sh $(B) $(BENCH)

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/libhcl-lite.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

# libFuzzer targets, TIME seconds each.
TIME ?= 30
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
.PHONY: fuzz
fuzz:
	@$(MAKE) --no-print-directory -j2 B=$(B)/fuzz CC=clang SANFLAGS="-fsanitize=address,undefined,fuzzer-no-link" OPT=-O1 fuzz-programs
	@for f in $(FUZZERS); do mkdir -p $(B)/fuzz/corpus/$$f; \
		$(B)/fuzz/$$f -max_total_time=$(TIME) -timeout=10 $(B)/fuzz/corpus/$$f tests/fuzz/corpus/$${f#fuzz_} || exit 1; done

.PHONY: fuzz-programs
fuzz-programs: $(addprefix $(B)/,$(FUZZERS))
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(LIBS_state)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS_state) -Wl,--end-group $(PKG_LIBS)

PREFIX ?= /usr/local
.PHONY: install
install: all
	install -D -m 0755 -s $(B)/zplan $(DESTDIR)$(PREFIX)/bin/zplan
	install -D -m 0644 $(B)/guest/vmlinux $(DESTDIR)/usr/lib/zplan/guest/vmlinux
	install -D -m 0644 $(B)/guest/initramfs $(DESTDIR)/usr/lib/zplan/guest/initramfs
	@$(MAKE) --no-print-directory install-library

# hcl-lite: hcl.h and the headers it includes, in a folder of their own; and one archive.
HCL_HEADERS := $(addprefix hcl-lite/,hcl.h codec.h convert.h eval.h format.h syntax.h type.h value.h) \
	$(wildcard base/*.h)
.PHONY: install-library
install-library: $(B)/libhcl-lite.a
	install -D -m 0644 $< $(DESTDIR)$(PREFIX)/lib/libhcl-lite.a
	@for h in $(HCL_HEADERS); do \
		install -D -m 0644 $$h $(DESTDIR)$(PREFIX)/include/hcl-lite/$$h || exit 1; done

.PHONY: clean
clean:
	rm -rf $(B)
