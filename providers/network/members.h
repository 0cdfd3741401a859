/*
 * The nodes of one network, seen together: which /24 each has, and what each must know of the
 *others. Nothing here talks to a node.
 *
 *	zos_subnets_assign(arena, "10.1.0.0/16", nodes, prior, &subnets)     node -> "10.1.1.0/24"
 *	cJSON *spec = zos_member_spec(range, members, count, i)      of the network workload on node
 *i
 */
#ifndef PROVIDERS_NETWORK_MEMBERS_H
#define PROVIDERS_NETWORK_MEMBERS_H

#include <cjson/cJSON.h>

#include "base/error.h"
#include "hcl-lite/value.h"
#include "providers/network/address.h"

#define ZOS_WG_KEY_TEXT 45 /* 32 bytes in base 64, and its end */
#define ZOS_NETWORK_MAX_NODES 254

struct zos_member {
	const char *node;
	struct provider_subnet subnet; /* a /24 */
	uint8_t private_key[PROVIDER_WG_KEY_BYTES], public_key[PROVIDER_WG_KEY_BYTES];
	int port; /* WireGuard listens on it; 0 in a network of one node */
	char public_address[PROVIDER_IPV4_TEXT]; /* "": hidden, so that it must call the others */
};

/*
 * Gives every node of the set a /24 of ip_range: the one it has in prior (a map of strings, or
 * null), or the lowest that no node has, from x.y.1.0 on. Unknown nodes make the result unknown.
 * False with err when the range has no room.
 */
bool zos_subnets_assign(struct zp_arena *arena, const char *ip_range, struct hcl_value nodes,
	struct hcl_value prior, struct hcl_value *out, struct zp_error *err);

/* A fresh pair, or the public half of a private key that is there already. */
void zos_member_new_key(struct zos_member *member);
/* False when text is no key. */
bool zos_member_take_key(struct zos_member *member, const char *text);
void zos_members_wipe(struct zos_member *members, size_t count);

/* The access node, through which hidden ones and laptops go: the first with a public address, or count. */
size_t zos_members_access(const struct zos_member *members, size_t count);
/* WireGuard's own address that goes with the member's subnet. */
uint32_t zos_member_tunnel_address(const struct zos_member *member);
/*
 * Checks that the members can reach each other: of any two hidden ones both must reach a third with
 * a public address, and so must a laptop. 0, or -1 with err.
 */
int zos_members_check(const struct zos_member *members, size_t count,
	const struct zos_member *laptop, struct zp_error *err);
/* The network workload of member number self; the caller frees it. laptop: NULL when there is none. */
cJSON *zos_member_spec(const char *ip_range, const struct zos_member *members, size_t count,
	size_t self, const struct zos_member *laptop);

#endif
