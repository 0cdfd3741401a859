/*
 * How the other nodes of a network reach one of them: asked of the node itself.
 */
#ifndef PROVIDERS_NETWORK_REACH_H
#define PROVIDERS_NETWORK_REACH_H

#include "node/client.h"
#include "providers/network/members.h"

/*
 * Sets the member's public address (empty when the node has none) and, unless it has one already,
 * its WireGuard port: one no other network of that node uses, and the same again for the same id
 * wherever it is free. 0, or -1 with err.
 */
int zos_member_ask(struct zos_member *member, struct node_client *client, const char *id,
	struct zp_error *err);
/* The port for a network among the workloads of a node (as workload.list gives them). */
int zos_port_choose(const char *id, const cJSON *workloads);

#endif
