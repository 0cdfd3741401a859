/*
 * create_before_destroy spreads to what a block stands on: the replacement must exist before the old object
 * goes, and so must everything it needs. The configuration alone decides, whether there is an instance or not,
 * and whether it changes.
 */
#include "base/alloc.h"
#include "planner/engine.h"
#include "planner/needs.h"

/* Of a block something with create_before_destroy stands on: which of its instances were named. */
struct forced {
	bool all;
	struct zp_map keys; /* as in addresses */
};

struct spread {
	struct plan *plan;
	struct zp_map blocks; /* address without keys -> struct forced * */
};

static void force(struct plan_needs *walk, const struct plan_resource *resource, struct state_key key)
{
	struct spread *spread = walk->data;
	const char *block = plan_block_name(walk->arena, walk->module, resource);
	void **slot = zp_map_slot(&spread->blocks, zp_str(block));

	if (!*slot)
		*slot = zp_calloc(1, sizeof(struct forced));
	struct forced *forced = *slot;
	forced->all |= key.kind == STATE_NO_KEY;
	zp_autobuf text = ZP_BUF_INIT;
	state_key_text(key, &text);
	if (!zp_map_has(&forced->keys, zp_buf_slice(&text)))
		zp_map_set(&forced->keys, zp_arena_str(walk->arena, zp_buf_slice(&text)), forced);
}

static void force_needs(struct spread *spread, struct plan_needs *walk, const struct plan_module *module)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		if (!resource->lifecycle.create_before_destroy)
			continue;
		walk->module = module;
		if (plan_selects_block(spread->plan, plan_block_name(walk->arena, module, resource)))
			plan_needs_of(walk, resource);
	}
	/* Modules nest no deeper than loading let them. */
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			force_needs(spread, walk, module->calls[i]->module);
}

static bool names(const struct forced *forced, struct state_key key)
{
	zp_autobuf text = ZP_BUF_INIT;

	state_key_text(key, &text);
	return forced->all || zp_map_has(&forced->keys, zp_buf_slice(&text));
}

/*
 * All of a block are replaced in one order. The state remembers it of those that were named, and of what stays as
 * it is.
 */
static void order_instance(const struct spread *spread, struct plan_instance *instance)
{
	const struct forced *forced =
		zp_map_get(&spread->blocks, zp_str(instance->resource->block));
	bool own = instance->resource->create_before_destroy;

	if (!own && !forced)
		return;
	instance->create_before_destroy =
		own || instance->action == PLAN_NO_OP || names(forced, instance->key);
	if (instance->action == PLAN_DELETE_CREATE)
		instance->action = PLAN_CREATE_DELETE;
}

void plan_spread_create_before_destroy(struct plan *plan)
{
	struct spread spread = { .plan = plan };
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &plan->arena, .found = &found, .met = force, .data = &spread };

	force_needs(&spread, &walk, plan->config->root);
	for (size_t i = 0; i < plan->instances.count; i++)
		order_instance(&spread, plan->instances.items[i]);
	for (size_t i = 0; i < spread.blocks.count; i++) {
		struct forced *forced = spread.blocks.entries[i].value;
		zp_map_release(&forced->keys);
		free(forced);
	}
	zp_map_release(&spread.blocks);
	plan_needs_release(&walk);
	zp_map_release(&found);
}
