/*
 * The resources that a block or an expression of the configuration refers to, directly or by way of others.
 *
 *	struct zp_map found = { 0 };
 *	struct plan_needs walk = { .arena = &arena, .module = module, .found = &found };
 *	plan_needs_of(&walk, resource);
 *	... found: their names -> struct plan_resource *, the resource itself among them ...
 *	plan_needs_release(&walk);
 */
#ifndef PLANNER_NEEDS_H
#define PLANNER_NEEDS_H

#include "planner/config.h"

struct plan_needs {
	struct zp_arena *arena; /* of the names */
	const struct plan_module *module; /* that has the block or the expression */
	struct zp_map *found;
	/* Told of every reference to a resource, key and all; may be NULL. */
	void (*met)(struct plan_needs *walk, const struct plan_resource *resource, struct state_key key);
	void *data; /* the caller's */
	bool *root_variables; /* set for those met, by index; may be NULL */
	bool direct; /* what is found is not followed any further */
	bool started;	    /* the walk's own, as is seen: objects whose references were followed */
	struct zp_map seen;
};

void plan_needs_of(struct plan_needs *walk, const struct plan_resource *resource);
void plan_needs_of_expression(struct plan_needs *walk, const struct hcl_expr *expr);
void plan_needs_release(struct plan_needs *walk);

/* module.a.type.name, without keys. */
const char *plan_block_name(struct zp_arena *arena, const struct plan_module *module,
	const struct plan_resource *resource);

#endif
