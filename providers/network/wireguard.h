/*
 * A network's tunnel to its other nodes: wireguard-go as a helper of the node, its interface inside
 * the network's namespace while its UDP socket stays in the node's. Configured through its socket
 * (/run/wireguard/<interface>.sock); a change of peers leaves the sessions of those that stay
 * alone.
 *
 * The tunnel's address for subnet a.b.c.0/24 is 100.64.b.c.
 */
#ifndef PROVIDER_NETWORK_WIREGUARD_H
#define PROVIDER_NETWORK_WIREGUARD_H

#include "providers/network/names.h"
#include "providers/network/spec.h"

/* Makes the tunnel as the spec says; without peers there is none. The namespace must be there. */
int provider_wireguard_build(struct node_context *node, const struct provider_network_names *names,
	const struct provider_network_spec *spec, struct zp_error *err);
/* Adds to message what differs from the spec. */
int provider_wireguard_inspect(struct node_context *node,
	const struct provider_network_names *names, const struct provider_network_spec *spec,
	struct zp_buf *message, struct zp_error *err);
int provider_wireguard_remove(struct node_context *node, const struct provider_network_names *names,
	struct zp_error *err);
/* Whether wireguard-go was started anew and waits, in the node's namespace, to be configured. */
bool provider_wireguard_restarted(const struct provider_network_names *names);

/*
 * The text that takes wireguard-go from what it said of itself (answer to "get=1") to the spec.
 * Empty when nothing is to be changed. Holds the private key: wipe it.
 */
void provider_wireguard_changes(
	const char *current, const struct provider_network_spec *spec, struct zp_buf *out);

#endif
