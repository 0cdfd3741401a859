/* What machines take of nodes, for slot demand of the types that make some. */
#ifndef PROVIDERS_SCHEDULER_DEMAND_H
#define PROVIDERS_SCHEDULER_DEMAND_H

#include "providers/provider.h"

/* Whom to tell. */
struct zos_demand {
	void (*add)(void *data, const struct provider_demand *demand);
	void *data;
};

/*
 * A machine: an object or block with cpu, memory (MB), maybe rootfs_size (MB; at least least_root_mb) and disk_size
 * (GB). public_ipv4: name of the switch for an address of its own, or NULL.
 */
void zos_demand_machine(const struct zos_demand *to, struct hcl_value machine, const char *node,
	int64_t least_root_mb, const char *public_ipv4);
void zos_demand_disk(const struct zos_demand *to, const char *node, int64_t gigabytes);
/* The number of a node as nodes are looked for, or NULL while it is unknown. */
const char *zos_demand_node(struct hcl_value number, char text[24]);

#endif
