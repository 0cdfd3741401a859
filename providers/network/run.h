/*
 * Carrying out what is planned for networks.
 *
 * Keys never stand in the state: a node keeps its own in its workload's spec, and is asked for it
 * when the network changes. A network of one node needs none.
 */
#ifndef PROVIDERS_NETWORK_RUN_H
#define PROVIDERS_NETWORK_RUN_H

#include "providers/provider.h"

/* Slot run of zos_network. */
void zos_network_run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count);

/*
 * A node has a name and a number, and a configuration may use the one today and the other tomorrow.
 */
bool zos_network_same_node(
	const struct node_inventory *inventory, struct zp_str a, struct zp_str b);
/* The subnets of the prior network (may be null), under the names its nodes have in nodes. */
struct hcl_value zos_network_former_subnets(struct zp_arena *arena,
	const struct node_inventory *inventory, struct hcl_value prior, struct hcl_value nodes);

#endif
