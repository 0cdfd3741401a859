# zplan: see README.md. Targets: deps all demo check bench fuzz lint fmt install clean
# B is the build folder; V=1 shows commands; SAN=1 builds with AddressSanitizer and UBSan.

B ?= build
CC ?= gcc
PKGS := libcjson libvirt libvirt-qemu libnl-3.0 libnl-route-3.0 sqlite3 mpfr libutf8proc \
	libpcre2-8 yaml-0.1 libcrypto zlib libsodium libnftables libcurl libcrypt libedit libpq libgit2 \
	libmicrohttpd libarchive snappy
# Loaded as system headers, so that warnings are about our own code only.
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm
TEST_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null)

VERSION := $(shell cat VERSION 2>/dev/null)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ifeq ($(findstring clang,$(CC)),)
WARN += -Wjump-misses-init
endif
WERROR ?= -Werror
OPT ?= -O2
CFLAGS ?= -g
CPPFLAGS += -D_GNU_SOURCE -I. -DZPLAN_VERSION='"$(VERSION)"'
ALL_CFLAGS = -std=gnu17 $(OPT) $(CFLAGS) $(WARN) $(WERROR) $(SANFLAGS) $(CPPFLAGS) $(PKG_CFLAGS)
ifeq ($(SAN),1)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPT := -O1
CPPFLAGS += -DZP_FAULTS
ifeq ($(findstring clang,$(CC)),)
ASAN_FORK := $(B)/mk/asan_fork.o
LDFLAGS += -static-libasan
endif
endif

# The folders from the ground up: each may use those before it (checked by `make lint`).
FOLDERS := base hcl-lite modules node providers state planner sync cli
sources = $(shell find $(1) -name '*.c' -not -path '*/guest/*' 2>/dev/null | LC_ALL=C sort)
objects = $(patsubst %.c,$(B)/%.o,$(call sources,$(1)))

BASE_LIB := $(B)/libbase.a
HCL_LIB := $(B)/libhcl-lite-only.a
MODULES_LIB := $(B)/libmodules.a
NODE_LIB := $(B)/libnode.a
PROVIDERS_LIB := $(B)/libproviders.a
STATE_LIB := $(B)/libstate.a
PLANNER_LIB := $(B)/libplanner.a
SYNC_LIB := $(B)/libsync.a
CLI_LIB := $(B)/libcli.a

# What a test of each folder links, top first.
LIBS_base := $(BASE_LIB)
LIBS_hcl-lite := $(HCL_LIB) $(LIBS_base)
LIBS_modules := $(MODULES_LIB) $(LIBS_base)
LIBS_node := $(NODE_LIB) $(LIBS_hcl-lite)
LIBS_providers := $(PROVIDERS_LIB) $(LIBS_node)
LIBS_state := $(STATE_LIB) $(LIBS_hcl-lite)
LIBS_planner := $(PLANNER_LIB) $(STATE_LIB) $(MODULES_LIB) $(LIBS_providers)
LIBS_sync := $(SYNC_LIB) $(LIBS_hcl-lite)
LIBS_cli := $(CLI_LIB) $(SYNC_LIB) $(LIBS_planner)

ifeq ($(V),1)
Q :=
else
Q := @
endif

.PHONY: all
all: $(B)/zplan $(B)/libhcl-lite.a guest

.SECONDARY:

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define archive
	@rm -f $@
	$(Q)ar rcs $@ $^
endef

$(BASE_LIB): $(call objects,base)
	$(archive)
$(HCL_LIB): $(call objects,hcl-lite)
	$(archive)
$(MODULES_LIB): $(call objects,modules)
	$(archive)
$(NODE_LIB): $(call objects,node)
	$(archive)
$(PROVIDERS_LIB): $(call objects,providers)
	$(archive)
$(STATE_LIB): $(call objects,state)
	$(archive)
$(PLANNER_LIB): $(call objects,planner)
	$(archive)
$(SYNC_LIB): $(call objects,sync)
	$(archive)
$(CLI_LIB): $(filter-out $(B)/cli/main.o,$(call objects,cli))
	$(archive)
# The language as one library others can link.
$(B)/libhcl-lite.a: $(call objects,hcl-lite) $(call objects,base)
	$(archive)

# Libraries few commands need are loaded on first use; not with sanitizers, which want to see them.
ifeq ($(SAN)$(shell uname -m),x86_64)
LAZY := $(B)/lazy.o
LAZY_LIBS := -lvirt -lvirt-qemu -lcurl -lnftables -lgit2 -lpq -lmicrohttpd -lsqlite3 -larchive -lsnappy
$(B)/lazy.S: mk/lazy.sh $(B)/cli/main.o $(LIBS_cli)
	$(Q)sh mk/lazy.sh "$(CC)" $(LIBS_cli) >$@.new && mv $@.new $@
$(B)/lazy.o: $(B)/lazy.S
	$(Q)$(CC) -c -o $@ $<
endif

$(B)/zplan: $(B)/cli/main.o $(LIBS_cli) $(LAZY) $(ASAN_FORK)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $(LAZY) $(ASAN_FORK) -Wl,--start-group $(LIBS_cli) -Wl,--end-group \
		$(filter-out $(LAZY_LIBS),$(PKG_LIBS))

# tests/<folder>/test_*.c -> $(B)/tests/<folder>/test_*, linked with that folder and what is below it.
define test_rules
TESTS += $$(patsubst tests/%.c,$$(B)/tests/%,$$(wildcard tests/$(1)/test_*.c))
$$(B)/tests/$(1)/%: $$(B)/tests/$(1)/%.o $$(LIBS_$(1)) $(ASAN_FORK)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$< $(ASAN_FORK) -Wl,--start-group $$(LIBS_$(1)) -Wl,--end-group $$(TEST_LIBS) $$(PKG_LIBS)
endef
$(foreach folder,base hcl-lite modules node providers state planner sync cli,$(eval $(call test_rules,$(folder))))

.PHONY: tests
tests: $(TESTS)

include mk/guest.mk mk/targets.mk

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
