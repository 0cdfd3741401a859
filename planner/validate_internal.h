/*
 * Shared by the files behind plan_config_validate(); not for others.
 */
#ifndef PLANNER_VALIDATE_INTERNAL_H
#define PLANNER_VALIDATE_INTERNAL_H

#include "planner/config_internal.h"

/* Where a traversal stands, for what may be named there. */
struct plan_place {
	const struct plan_module *module;
	bool has_count, has_for_each; /* count.index, each.key exist */
	bool has_self;
	const char *const *iterators; /* of dynamic blocks around it, interned */
	size_t iterator_count;
};

/* Reports a traversal that names nothing. True when it is fine. */
bool plan_check_reference(const struct plan_place *place, const struct hcl_expr *traversal,
	struct zp_diags *diags);
/* Reports every cycle among the objects of the whole tree; one object alone is none. */
void plan_check_cycles(const struct plan_config *config, struct zp_diags *diags);

#endif
