/*
 * Filter and address translation, through libnftables. Rules are texts in nft's language, made by
 * pure functions; one call hands them to the kernel, all or none, in the network namespace the
 * calling thread is in. Every text replaces its own table whole, which leaves established
 * connections alone.
 *
 * Tables: `zplan_<tag>` in the node's namespace (one for all networks), `zplan` and `zplan_gateway`
 * in a network's (ip family). Inside a network's namespace lan0 leads to its machines, up0 to the
 * node.
 */
#ifndef PROVIDER_NETWORK_FIREWALL_H
#define PROVIDER_NETWORK_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "providers/network/address.h"

#define PROVIDER_NETWORK_TABLE "zplan"
#define PROVIDER_GATEWAY_TABLE "zplan_gateway"
/* The node's own links: a /30 to each network's namespace. */
#define PROVIDER_UPLINK_RANGE "100.127.0.0/16"

/* A port of the uplink's inner address that leads to a machine. */
struct provider_forward {
	int port;
	uint32_t address;
	int to_port;
};

/*
 * Masquerade towards the node; from there only answers and forwarded ports come in. Connections
 * through the tunnel agree on segments that fit it. first: there are none yet. Otherwise those there are go, for
 * which the kernel waits until nobody uses them.
 */
void provider_firewall_network_rules(bool first, struct zp_buf *out);
/* Masquerade towards the internet (wan "": none); networks do not reach each other. */
void provider_firewall_node_rules(const char *tag, const char *wan, struct zp_buf *out);
/* Forwards of connections that come from node_address. count 0: no table. */
void provider_firewall_forward_rules(uint32_t node_address, const struct provider_forward *forwards,
	size_t count, struct zp_buf *out);

/* A command ("add" or "delete") about some elements of that table's map; none: no command. */
void provider_firewall_forward_change(const char *verb, const struct provider_forward *forwards,
	size_t count, struct zp_buf *out);

/* Runs commands; what they print goes to out (may be NULL). */
int provider_firewall_run(const char *commands, struct zp_buf *out, struct zp_error *err);

#endif
