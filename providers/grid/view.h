/*
 * Types that are another type in other words: grid_network is zos_network with numbers for nodes, and so
 * on. A view says how values go inward and outward; planning and carrying out are the inner type's.
 */
#ifndef PROVIDERS_GRID_VIEW_H
#define PROVIDERS_GRID_VIEW_H

#include "providers/grid/grid.h"

/* What a translation may need beside the values. */
struct grid_view_context {
	struct zp_arena *arena;
	struct node_pool *pool; /* NULL while it is not known */
	const char *network;	/* id of the network the view names; NULL: none, or not looked up */
};

struct grid_view {
	const struct provider_resource_type *inner;
	/* Values of the inner type; nothing is set where there is nothing to say. values is an object. */
	void (*inward)(const struct grid_view_context *context, struct hcl_value values,
		struct provider_builder *inner);
	/* outer begins with what the object was taken to be, and may be empty. */
	void (*outward)(const struct grid_view_context *context, struct hcl_value inner,
		struct provider_builder *outer);
	/* Node and name of a network to look up before a change; false: none. May be NULL. */
	bool (*network)(const struct grid_view_context *context, struct hcl_value values,
		const char **node, const char **name);
};

/* An object of the inner type out of one of the outer; null stays null, unknown unknown. */
struct hcl_value grid_view_inward(const struct grid_view *view,
	const struct grid_view_context *context, struct hcl_value values);
/* Slots plan and run of the outer type. */
void grid_view_plan(const struct grid_view *view, struct provider_plan *plan);
void grid_view_run(const struct grid_view *view, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count);

#endif
