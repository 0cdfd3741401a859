/*
 * What machines may send over the public bridge: their own address from their own MAC, and nothing
 * else. One table in the bridge family per node, made anew whole out of the registry.
 */
#ifndef PROVIDER_IP_FILTER_H
#define PROVIDER_IP_FILTER_H

#include "node/context.h"

struct provider_ip_grant {
	char tap[16], mac[18];
	char v4[16];	     /* "" when it has none */
	char v6[2][46];	     /* link local, and that of the announced prefix; "" when it has none */
};

/* The text of the table; count 0: of its removal. Pure. */
void provider_ip_filter_rules(const char *tag, const struct provider_ip_grant *grants, size_t count,
	struct zp_buf *out);

/* The tap a machine has on the public bridge. */
void provider_public_tap_name(struct node_context *node, const char *machine_id, char out[16]);
/* Makes the filter as the registry wants it. but: a machine that counts no more, or NULL. */
int provider_ip_filter_apply(struct node_context *node, const char *but, struct zp_error *err);
/* Whether the tap is in the filter. */
int provider_ip_filter_has(struct node_context *node, const char *tap, bool *has,
	struct zp_error *err);

#endif
