#include "providers/scheduler/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/zos/json.h"
#include "providers/zos/node_access.h"

static const char *text_of(struct zp_arena *arena, const cJSON *facts, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(facts, name));

	return text ? zp_arena_strdup(arena, text) : "";
}

static struct node_capacity capacity_of(const cJSON *facts, const char *name)
{
	const cJSON *json = cJSON_GetObjectItemCaseSensitive(facts, name);

	return (struct node_capacity){ .cores = zos_json_int(json, "cores", 0),
		.memory = zos_json_int(json, "memory", 0), .disk = zos_json_int(json, "disk", 0) };
}

static struct hcl_value labels_of(struct zp_arena *arena, const cJSON *facts)
{
	struct hcl_value labels = zos_json_map(arena, facts, "labels");

	return labels.state == HCL_KNOWN ? labels : hcl_map_value(hcl_string, NULL, 0);
}

static struct hcl_value types_of(struct zp_arena *arena, const cJSON *facts)
{
	struct hcl_value types = zos_json_list(arena, facts, "types");

	return types.state == HCL_KNOWN ? types : hcl_list_value(hcl_string, NULL, 0);
}

static void take_facts(struct zos_fleet_node *node, struct zp_arena *arena, const cJSON *facts)
{
	const cJSON *ips = cJSON_GetObjectItemCaseSensitive(facts, "public_ips");

	node->version = text_of(arena, facts, "version");
	node->domain = text_of(arena, facts, "domain");
	node->public_address = text_of(arena, facts, "public_address");
	node->tenant = text_of(arena, facts, "tenant");
	node->dedicated = text_of(arena, facts, "dedicated");
	node->labels = labels_of(arena, facts);
	node->types = types_of(arena, facts);
	node->capacity = capacity_of(facts, "capacity");
	node->free = capacity_of(facts, "free");
	node->workloads = zos_json_int(facts, "workloads", 0);
	node->public_ips = zos_json_int(ips, "total", 0);
	node->public_ips_free = zos_json_int(ips, "free", 0);
	if (!node->farm)
		node->farm = zos_json_int(facts, "farm", 0);
	if (!node->number)
		node->number = zos_json_int(facts, "id", 0);
}

struct asking {
	struct node_pool *pool;
	struct zos_fleet *fleet;
	cJSON **facts;
	struct zp_error *errors;
};

static void ask_one(void *data, size_t index)
{
	struct asking *asking = data;
	struct node_client *client = node_pool_get(
		asking->pool, asking->fleet->items[index].name, &asking->errors[index]);

	if (client)
		asking->facts[index] =
			node_call(client, "node.facts", NULL, &asking->errors[index]);
}

static void take_answer(struct zos_fleet_node *node, struct zp_arena *arena, cJSON *facts,
	struct zp_error *err)
{
	node->version = node->domain = node->public_address = node->tenant = node->dedicated = "";
	node->labels = hcl_map_value(hcl_string, NULL, 0);
	node->types = hcl_list_value(hcl_string, NULL, 0);
	if (facts)
		take_facts(node, arena, facts);
	else
		node->failure = zp_arena_strdup(arena, zp_error_text(err));
	cJSON_Delete(facts);
	zp_error_clear(err);
}

static void ask_all(struct zos_fleet *fleet, struct zp_arena *arena, struct node_pool *pool)
{
	zp_autofree cJSON **facts = zp_calloc(fleet->count + 1, sizeof(*facts));
	zp_autofree struct zp_error *errors = zp_calloc(fleet->count + 1, sizeof(*errors));
	struct asking asking = { pool, fleet, facts, errors };

	zos_parallel(fleet->count, ask_one, &asking);
	for (size_t i = 0; i < fleet->count; i++)
		take_answer(&fleet->items[i], arena, facts[i], &errors[i]);
}

static struct zos_fleet_node from_entry(struct zp_arena *arena, const struct node_entry *entry)
{
	return (struct zos_fleet_node){ .name = zp_arena_strdup(arena, entry->name),
		.number = entry->id, .farm = entry->farm };
}

void zos_fleet_ask(struct zos_fleet *fleet, struct zp_arena *arena, struct node_pool *pool)
{
	const struct node_inventory *inventory = node_pool_inventory(pool);

	fleet->count = inventory->count;
	fleet->items = zp_new_array(arena, struct zos_fleet_node, fleet->count);
	for (size_t i = 0; i < fleet->count; i++)
		fleet->items[i] = from_entry(arena, &inventory->items[i]);
	ask_all(fleet, arena, pool);
}

void zos_fleet_ask_one(struct zos_fleet_node *out, struct zp_arena *arena, struct node_pool *pool,
	const struct node_entry *entry)
{
	struct zos_fleet fleet = { .items = out, .count = 1 };

	*out = from_entry(arena, entry);
	ask_all(&fleet, arena, pool);
}

const struct zos_fleet_node *zos_fleet_find(const struct zos_fleet *fleet, const char *name)
{
	char number[24];

	for (size_t i = 0; i < fleet->count; i++) {
		const struct zos_fleet_node *node = &fleet->items[i];
		snprintf(number, sizeof(number), "%" PRId64, node->number);
		if (strcmp(node->name, name) == 0 || (node->number && strcmp(number, name) == 0))
			return node;
	}
	return NULL;
}

bool zos_fleet_has_labels(const struct zos_fleet_node *node, struct hcl_value wanted)
{
	for (uint32_t i = 0; wanted.state == HCL_KNOWN && i < wanted.count; i++) {
		struct hcl_value have;
		if (!hcl_map_lookup(node->labels, wanted.entries[i].key, &have) ||
			!hcl_value_identical(have, wanted.entries[i].value))
			return false;
	}
	return true;
}

bool zos_fleet_is_reserved(const struct zos_fleet_node *node)
{
	return *node->dedicated && strcmp(node->dedicated, node->tenant) != 0;
}
