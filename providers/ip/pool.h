/*
 * The public addresses a node may give away, as its node.hcl lists them, and what an `ip` workload has
 * of them: its number in the pool, its MAC, its IPv6 address.
 *
 * The MAC follows from the workload's identity, so that the address a machine makes itself out of what
 * routers announce (RFC 4291, appendix A) is known before it runs.
 */
#ifndef PROVIDER_IP_POOL_H
#define PROVIDER_IP_POOL_H

#include <netinet/in.h>

#include "node/context.h"
#include "providers/network/address.h"

#define PROVIDER_IP_LEASES "public-ip"
#define PROVIDER_IP_MAX 4096

struct provider_ip {
	struct provider_subnet v4; /* prefix 0: none */
	char address[PROVIDER_SUBNET_TEXT]; /* "203.0.113.10/24", or "" */
	char gateway[PROVIDER_IPV4_TEXT];
	char mac[18];
	bool v6;
	/* Addresses the MAC stands for: on the link, and, with v6, in the announced prefix. */
	char link_local[INET6_ADDRSTRLEN], global[INET6_ADDRSTRLEN];
};

/* How many addresses there are; -1 with err when node.hcl does not make sense. */
int64_t provider_ip_pool_size(const struct node_context *node, struct zp_error *err);
/* The address of a number in the pool. */
int provider_ip_pool_get(const struct node_context *node, int64_t number,
	struct provider_subnet *out, struct zp_error *err);

/* Leases what the spec asks for (the same again when asked again). */
int provider_ip_take(struct node_context *node, const char *id, bool v4, bool v6,
	struct provider_ip *out, struct zp_error *err);
/* What the workload called id was given; -1 when it is no ip workload, or has nothing yet. */
int provider_ip_find(struct node_context *node, const char *id, struct provider_ip *out,
	struct zp_error *err);
/* The IPv6 address of a MAC in a /64. */
void provider_ip_eui64(const struct in6_addr *prefix, const char *mac, char out[INET6_ADDRSTRLEN]);

/* Id of a machine, other than the one named (may be NULL), that has the address; heap, or NULL. */
char *provider_ip_user(struct node_context *node, const char *id, const char *but);
/* The id of the ip workload in a machine's spec, or NULL. */
const char *provider_ip_of_machine(const cJSON *spec);

#endif
