/*
 * The config disk a machine's init reads (guest/format.h), as bytes.
 */
#ifndef PROVIDER_MACHINE_CONFIG_H
#define PROVIDER_MACHINE_CONFIG_H

#include "base/error.h"
#include "base/str.h"
#include "providers/machine/spec.h"

#define PROVIDER_HOSTNAME_MAX 63

struct provider_machine_config {
	const struct provider_machine_spec *spec;
	const char *hostname, *mac;
	const char *address; /* "10.1.1.2/24" */
	const char *gateway;
	/* With a public address that is where the default route leads; range stays private. */
	const char *range, *public_mac, *public_address, *public_gateway;
	const char *planetary_mac, *planetary_address, *planetary_gateway; /* "" or NULL: none */
	const char *const *serials; /* one per mount of the spec */
	const char *const *dns;
	size_t dns_count;
};

/* Appends the disk's content, a multiple of 512 bytes. -1: does not fit. */
int provider_machine_config_build(
	const struct provider_machine_config *config, struct zp_buf *out, struct zp_error *err);

/*
 * A host name out of a resource address: zos_machine.web["Blue 1"] -> web-blue-1; "machine" when
 * there is nothing to take.
 */
void provider_hostname(const char *address, char out[PROVIDER_HOSTNAME_MAX + 1]);

/*
 * Name servers out of the text of a resolv.conf that a machine can reach: loopback ones are left
 * out. Up to three, in text form; ours when none is left.
 */
size_t provider_name_servers(struct zp_arena *arena, const char *text, const char *out[3]);

#endif
