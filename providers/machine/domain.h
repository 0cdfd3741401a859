/*
 * A machine as libvirt's XML: a pure function, so that tests can read what would be run.
 */
#ifndef PROVIDER_MACHINE_DOMAIN_H
#define PROVIDER_MACHINE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct provider_domain_disk {
	const char *path, *format; /* "raw" or "qcow2" */
	const char *serial;	   /* by which the guest knows it, at most 20 characters */
	bool readonly;
};

/*
 * For the node's own kernel and init. The last two make boot under emulation half a second faster; a
 * panic restarts the machine at once.
 */
#define PROVIDER_CONTAINER_COMMAND_LINE                                                            \
	"console=ttyS0 quiet panic=-1 cryptomgr.notests noreplace-smp"

struct provider_domain {
	const char *name, *uuid;
	bool kvm;  /* else emulated */
	bool root; /* QEMU as root, where the daemon would have another user */
	int cpu;
	int64_t memory; /* bytes */
	/* kernel NULL: the first disk boots by firmware; initramfs NULL: the kernel needs none */
	const char *kernel, *initramfs, *command_line;
	const struct provider_domain_disk *disks; /* vda, vdb, ... */
	size_t disk_count;
	const char *bridge, *tap, *mac;
	const char *public_bridge, *public_tap, *public_mac; /* public_mac "": no such interface */
	const char *planetary_bridge, *planetary_tap, *planetary_mac; /* the same */
	const char *console_socket, *console_log;
};

void provider_domain_xml(const struct provider_domain *domain, struct zp_buf *out);

/* Texts derived from an identity, the same every time. */
void provider_domain_uuid(const char *tag, const char *id, char out[37]);
void provider_domain_mac(const char *tag, const char *id, char out[18]);

#endif
