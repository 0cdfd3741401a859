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

struct provider_domain {
	const char *name, *uuid;
	bool kvm;  /* else emulated */
	bool root; /* QEMU as root, where the daemon would have another user */
	int cpu;
	int64_t memory; /* bytes */
	const char *kernel, *initramfs;
	const struct provider_domain_disk *disks; /* vda, vdb, ... */
	size_t disk_count;
	const char *bridge, *tap, *mac;
	const char *public_bridge, *public_tap, *public_mac; /* public_mac "": no such interface */
	const char *console_socket, *console_log;
};

void provider_domain_xml(const struct provider_domain *domain, struct zp_buf *out);

/* Texts derived from an identity, the same every time. */
void provider_domain_uuid(const char *tag, const char *id, char out[37]);
void provider_domain_mac(const char *tag, const char *id, char out[18]);

#endif
