#include "providers/scheduler/room.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/vec.h"
#include "providers/scheduler/fleet.h"
#include "providers/zos/node_access.h"

#define SHOWN 3
#define MEGABYTE (INT64_C(1) << 20)

/* What a plan changes of one node's load. */
struct load {
	const struct node_entry *entry;
	struct provider_demand more;
	const char *growing[SHOWN]; /* addresses of objects that ask for more */
	size_t growing_count;
	struct zos_fleet_node node;
};

struct sum {
	struct node_pool *pool;
	struct zp_map by_node; /* name in the inventory -> struct load * */
	struct zp_map by_text; /* as objects name it -> the same; itself for a node nobody knows */
	const struct provider_change *change;
	int sign;
};

/* NULL: the inventory has no such node. */
static struct load *load_of(struct sum *sum, const char *node)
{
	void *known = zp_map_get(&sum->by_text, zp_str(node));

	if (known)
		return known == sum ? NULL : known;
	const struct node_entry *entry = node_inventory_find(node_pool_inventory(sum->pool), node);
	char *text = zp_strdup(node);
	if (!entry) {
		zp_map_set(&sum->by_text, zp_str(text), sum);
		return NULL;
	}
	void **slot = zp_map_slot(&sum->by_node, zp_str(entry->name));
	if (!*slot)
		*slot = zp_calloc(1, sizeof(struct load));
	((struct load *)*slot)->entry = entry;
	zp_map_set(&sum->by_text, zp_str(text), *slot);
	return *slot;
}

static void add(void *data, const struct provider_demand *demand)
{
	struct sum *sum = data;
	struct load *load = demand->node ? load_of(sum, demand->node) : NULL;

	if (!load)
		return;
	load->more.cores += sum->sign * demand->cores;
	load->more.memory += sum->sign * demand->memory;
	load->more.disk += sum->sign * demand->disk;
	load->more.addresses += sum->sign * demand->addresses;
	if (sum->sign < 0)
		return;
	bool listed = load->growing_count && load->growing[(load->growing_count - 1) % SHOWN] == sum->change->address;
	if (!listed && load->growing_count < SHOWN)
		load->growing[load->growing_count] = sum->change->address;
	load->growing_count += !listed;
}

static void add_change(struct sum *sum, const struct provider_change *change)
{
	sum->change = change;
	if (change->prior.state == HCL_KNOWN) {
		sum->sign = -1;
		change->type->demand(change->prior, add, sum);
	}
	if (change->planned.state == HCL_KNOWN) {
		sum->sign = 1;
		change->type->demand(change->planned, add, sum);
	}
}

static void say_who(const struct load *load, struct zp_buf *out)
{
	size_t shown = load->growing_count < SHOWN ? load->growing_count : SHOWN;

	for (size_t i = 0; i < shown; i++)
		zp_buf_printf(out, "%s%s", i ? ", " : "", load->growing[i]);
	if (load->growing_count > shown)
		zp_buf_printf(out, " and %zu more", load->growing_count - shown);
}

static void compare(const struct load *load, struct provider_problems *problems)
{
	const struct zos_fleet_node *node = &load->node;
	const struct {
		const char *name, *unit;
		int64_t more, free, total, scale;
	} rows[] = {
		{ "cores", "", load->more.cores, node->free.cores, node->capacity.cores, 1 },
		{ "memory", " MB", load->more.memory, node->free.memory, node->capacity.memory, MEGABYTE },
		{ "disk", " MB", load->more.disk, node->free.disk, node->capacity.disk, MEGABYTE },
		{ "public IPv4 addresses", "", load->more.addresses, node->public_ips_free,
			node->public_ips, 1 },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf who = ZP_BUF_INIT;
		if (rows[i].more <= 0 || rows[i].more <= rows[i].free)
			continue;
		say_who(load, &who);
		provider_error(problems, NULL, "No room on node",
			"This plan asks node %s for %" PRId64 "%s more %s than it gives now, for %s; of its %" PRId64
			"%s%s, %" PRId64 "%s are left. Take less, choose another node, or remove something first.",
			load->entry->name, rows[i].more / rows[i].scale, rows[i].unit, rows[i].name, who.ptr,
			rows[i].total / rows[i].scale, rows[i].unit, *node->tenant ? " for you" : "",
			rows[i].free / rows[i].scale, rows[i].unit);
	}
}

static bool grows(const struct load *load)
{
	return load->more.cores > 0 || load->more.memory > 0 || load->more.disk > 0 || load->more.addresses > 0;
}

struct asking {
	struct node_pool *pool;
	struct load **loads;
	struct zp_arena *arenas; /* one each: they are asked side by side */
};

static void ask(void *data, size_t index)
{
	struct asking *asking = data;

	zos_fleet_ask_one(&asking->loads[index]->node, &asking->arenas[index], asking->pool,
		asking->loads[index]->entry);
}

static void review(struct node_pool *pool, struct load **loads, size_t count, struct provider_problems *problems)
{
	zp_autofree struct zp_arena *arenas = zp_calloc(count + 1, sizeof(*arenas));
	struct asking asking = { pool, loads, arenas };

	for (size_t i = 0; i < count; i++)
		zp_arena_init(&arenas[i]);
	zos_parallel(count, ask, &asking);
	for (size_t i = 0; i < count; i++) {
		/* Its owner may use it all the same. */
		if (!loads[i]->node.failure && *loads[i]->node.tenant && zos_fleet_is_reserved(&loads[i]->node))
			provider_error(problems, NULL, "Node is reserved",
				"Node %s is reserved for tenant %s: it takes nothing of others.",
				loads[i]->entry->name, loads[i]->node.dedicated);
		else if (!loads[i]->node.failure)
			compare(loads[i], problems);
	}
	for (size_t i = 0; i < count; i++)
		zp_arena_release(&arenas[i]);
}

void zos_review_room(struct provider_instance *instance, const struct provider_change *changes,
	size_t count, struct provider_problems *problems)
{
	struct sum sum = { .pool = instance->environment->nodes };
	size_t growing = 0;

	if (!sum.pool)
		return;
	for (size_t i = 0; i < count; i++)
		add_change(&sum, &changes[i]);
	zp_autofree struct load **loads = zp_calloc(sum.by_node.count + 1, sizeof(*loads));
	for (size_t i = 0; i < sum.by_node.count; i++)
		if (grows(sum.by_node.entries[i].value))
			loads[growing++] = sum.by_node.entries[i].value;
	if (growing)
		review(sum.pool, loads, growing, problems);
	for (size_t i = 0; i < sum.by_node.count; i++)
		free(sum.by_node.entries[i].value);
	for (size_t i = 0; i < sum.by_text.count; i++)
		free((char *)sum.by_text.entries[i].key.ptr);
	zp_map_release(&sum.by_text);
	zp_map_release(&sum.by_node);
}
