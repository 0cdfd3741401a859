# What machines boot: a kernel of Debian's, a tiny init (static, musl) and the initramfs around it. The
# agent looks for them in $ZPLAN_GUEST, in guest/ beside the zplan program, in /usr/lib/zplan/guest.
# Also the content of the examples: a root file system out of busybox-static.

GUEST := $(B)/guest
GUEST_CC ?= musl-gcc
GUEST_SOURCES := $(wildcard providers/machine/guest/*.c)
GUEST_OBJECTS := $(patsubst providers/machine/guest/%.c,$(GUEST)/objects/%.o,$(GUEST_SOURCES))

.PHONY: guest
guest: $(GUEST)/vmlinux $(GUEST)/initramfs

$(GUEST)/objects/%.o: providers/machine/guest/%.c
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) -std=gnu17 -Os $(WARN) $(WERROR) -D_GNU_SOURCE -I. -MMD -MP -c -o $@ $<

$(GUEST)/init: $(GUEST_OBJECTS)
	$(Q)$(GUEST_CC) -static -s -o $@ $^

$(GUEST)/initramfs: mk/initramfs.sh mk/kernel-version.sh $(GUEST)/init
	$(Q)sh mk/initramfs.sh $(GUEST)/init $@

$(GUEST)/vmlinux: mk/vmlinux.sh mk/kernel-version.sh
	@mkdir -p $(@D)
	$(Q)sh mk/vmlinux.sh $@

.PHONY: example-rootfs
example-rootfs: $(B)/rootfs/.made $(B)/rootfs-tls/.made $(B)/rootfs-member/.made

$(B)/rootfs/.made: mk/rootfs.sh
	$(Q)sh mk/rootfs.sh $(@D)
	@touch $@
$(B)/rootfs-tls/.made: mk/rootfs.sh
	$(Q)sh mk/rootfs.sh $(@D) openssl
	@touch $@
$(B)/rootfs-member/.made: mk/rootfs.sh $(shell find examples/kubernetes/content -type f)
	$(Q)sh mk/rootfs.sh $(@D)
	$(Q)cp -r examples/kubernetes/content/. $(@D)
	@touch $@

# The test that boots machines looks for both beside itself.
$(B)/tests/providers/test_machine_boot: | $(GUEST)/vmlinux $(GUEST)/initramfs $(B)/rootfs/.made
