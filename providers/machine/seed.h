/*
 * What a machine with a system of its own is told: a NoCloud seed for cloud-init, as the three
 * documents and as the disk (ISO 9660, labelled CIDATA) they are on. The documents are JSON, which
 * YAML includes.
 */
#ifndef PROVIDER_MACHINE_SEED_H
#define PROVIDER_MACHINE_SEED_H

#include "base/error.h"
#include "base/str.h"
#include "providers/machine/config.h"

/* Name, addresses of both cards, routes and name servers ("network-config", version 2). */
void provider_seed_network(const struct provider_machine_config *config, struct zp_buf *out);
/*
 * Disks and their mount points, the keys in the variable SSH_KEY, and, where entrypoint is true, a
 * script that runs the entrypoint with its environment at each boot ("user-data").
 */
void provider_seed_user(
	const struct provider_machine_config *config, bool entrypoint, struct zp_buf *out);

/*
 * Writes the disk. uuid: the machine's; cloud-init takes new user-data up because the instance is
 * called otherwise then.
 */
int provider_seed_write(const struct provider_machine_config *config, const char *uuid,
	bool entrypoint, const char *path, struct zp_error *err);

#endif
