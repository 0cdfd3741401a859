/*
 * The kernel's side of a network on this node: namespace, bridge, links, addresses, routes, rules.
 * Knows names and specs only, nothing of the node. Called in the node's namespace.
 */
#ifndef PROVIDER_NETWORK_TOPOLOGY_H
#define PROVIDER_NETWORK_TOPOLOGY_H

#include "providers/network/names.h"
#include "providers/network/spec.h"

/* Makes what is missing and corrects what differs, whatever state it finds. */
int provider_topology_build(const struct provider_network_names *names,
	const struct provider_network_spec *spec, struct zp_error *err);
/*
 * Compares with what should be there. *any tells whether anything of it is; each difference is
 * added to message, so that an empty message means all is well.
 */
int provider_topology_inspect(const struct provider_network_names *names,
	const struct provider_network_spec *spec, bool *any, struct zp_buf *message,
	struct zp_error *err);
int provider_topology_destroy(const struct provider_network_names *names, struct zp_error *err);

/* What all networks of a node share: forwarding, and masquerade towards wan ("": none). */
int provider_topology_build_node(const char *tag, const char *wan, struct zp_error *err);
bool provider_topology_node_is_built(const char *tag);
int provider_topology_destroy_node(const char *tag, struct zp_error *err);

#endif
