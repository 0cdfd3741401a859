/*
 * What the kernel objects of a network are called on a node, and the addresses of its uplink: all
 * derived from the workload's identity, so that the halves of other workloads find them too.
 *
 *	node's namespace            network's namespace
 *	bridge ── lan (veth) ─────── lan0   gateway address
 *	uplink (veth, node address)─ up0    inner address, default route
 *	                             tunnel WireGuard to other nodes, when there are any
 */
#ifndef PROVIDER_NETWORK_NAMES_H
#define PROVIDER_NETWORK_NAMES_H

#include <stdint.h>

#include "node/context.h"

#define PROVIDER_LAN_LINK "lan0"
#define PROVIDER_UP_LINK "up0"
#define PROVIDER_UPLINK_PREFIX 30

struct provider_network_names {
	char netns[16], bridge[16], lan[16], uplink[16], tunnel[16];
	uint32_t node_address, inner_address; /* of the uplink's ends; 0 before uplink() */
	uint8_t bridge_mac[6], gateway_mac[6];
};

void provider_network_names(
	struct node_context *node, const char *id, struct provider_network_names *out);
/* Leases the uplink's addresses (the same again when asked again) and fills them in. */
int provider_network_uplink(struct node_context *node, const char *id,
	struct provider_network_names *names, struct zp_error *err);
/* The tap of a machine: attached to the bridge by whoever makes the one or the other. */
void provider_machine_tap_name(struct node_context *node, const char *machine_id, char out[16]);

#endif
