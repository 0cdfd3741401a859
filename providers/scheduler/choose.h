/*
 * Choosing nodes for requests. Nothing here talks to a node.
 *
 *	zos_choose(&fleet, requests, count, chosen, err)     chosen[i]: index of the node for request i
 *
 * The same requests on the same fleet give the same choice. What a request had before it keeps, as long as
 * that suits; the others go where most is left, one after the other, and where that comes to a dead end the
 * choices before are made anew.
 */
#ifndef PROVIDERS_SCHEDULER_CHOOSE_H
#define PROVIDERS_SCHEDULER_CHOOSE_H

#include "providers/scheduler/fleet.h"

struct zos_request {
	const char *name;
	struct node_capacity want; /* bytes, whole cores */
	int64_t public_ips;
	int64_t farm; /* 0: any */
	bool public_config; /* only nodes with a public address */
	bool domain;	    /* only nodes with a domain for gateways */
	bool distinct;	    /* on no node that another distinct request has */
	bool dedicated;	    /* only nodes reserved for who asks */
	struct hcl_value exclude; /* set of names or numbers, or null */
	struct hcl_value labels;  /* map of string, or null */
	const char *kept; /* node it has already, whose capacity it takes already; NULL: none */
};

/*
 * Whether a node may serve the request, apart from what is free on it. False with the reason in why (may
 * be NULL).
 */
bool zos_request_suits(
	const struct zos_request *request, const struct zos_fleet_node *node, struct zp_buf *why);
/* False with err: the request that could not be met, and what each node lacks. */
bool zos_choose(const struct zos_fleet *fleet, const struct zos_request *requests, size_t count,
	size_t *chosen, struct zp_error *err);

#endif
