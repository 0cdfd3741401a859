/*
 * Ports of a network's uplink that lead to its machines, for whoever runs in the node's namespace
 * and wants to reach a private address: connect to names.inner_address on the port. Ranges of
 * different networks may overlap; each has an uplink of its own.
 */
#ifndef PROVIDER_NETWORK_FORWARD_H
#define PROVIDER_NETWORK_FORWARD_H

#include <stdbool.h>

#include "node/context.h"
#include "providers/network/firewall.h"

/* Replaces all forwards of the network. Fails when the network is not on this node. */
int provider_forward_apply(struct node_context *node, const char *network,
	const struct provider_forward *forwards, size_t count, struct zp_error *err);
/*
 * Takes some forwards away and adds others, in no more time than that takes. Fails, and changes
 * nothing, where the kernel does not have those that go, or has other ones at those ports.
 */
int provider_forward_change(struct node_context *node, const char *network,
	const struct provider_forward *gone, size_t gone_count, const struct provider_forward *fresh,
	size_t fresh_count, struct zp_error *err);
/* Whether the kernel has each of these forwards (and maybe more); if not, message says what lacks.
 */
bool provider_forward_check(struct node_context *node, const char *network,
	const struct provider_forward *forwards, size_t count, struct zp_buf *message);
/* Whether the network's namespace is there. */
bool provider_network_exists(struct node_context *node, const char *network);

#endif
