/*
 * The nodes of the inventory with what they say of themselves: what data sources show, and what the
 * scheduler chooses from.
 *
 *	struct zos_fleet fleet;
 *	zos_fleet_ask(&fleet, arena, pool);        every node once, side by side
 *	... fleet.items[i].failure tells why a node said nothing
 *
 * Everything lives in the arena.
 */
#ifndef PROVIDERS_SCHEDULER_FLEET_H
#define PROVIDERS_SCHEDULER_FLEET_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "hcl-lite/value.h"
#include "node/client.h"

struct zos_fleet_node {
	const char *name; /* of the inventory */
	int64_t number, farm;
	const char *failure; /* NULL: it answered, and the fields below hold */
	const char *version, *domain, *public_address;
	const char *tenant;    /* who asks, "" for the owner */
	const char *dedicated; /* tenant it is reserved for, or "" */
	struct hcl_value labels; /* map of string */
	struct hcl_value types;  /* list of string: what it can realise */
	struct node_capacity capacity, free; /* of the asker's share */
	int64_t workloads, public_ips, public_ips_free;
};

struct zos_fleet {
	struct zos_fleet_node *items;
	size_t count;
};

void zos_fleet_ask(struct zos_fleet *fleet, struct zp_arena *arena, struct node_pool *pool);
/* One node. */
void zos_fleet_ask_one(struct zos_fleet_node *out, struct zp_arena *arena, struct node_pool *pool,
	const struct node_entry *entry);
/* By name, or number as text; NULL when there is none. */
const struct zos_fleet_node *zos_fleet_find(const struct zos_fleet *fleet, const char *name);

/* Whether every label asked for (a map of string, or null) is there with that value. */
bool zos_fleet_has_labels(const struct zos_fleet_node *node, struct hcl_value wanted);
/* Whether the asker may have nothing of it, because it is reserved for somebody else. */
bool zos_fleet_is_reserved(const struct zos_fleet_node *node);

#endif
