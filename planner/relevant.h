/* Attributes of resources that what a plan changes was worked out of. */
#ifndef PLANNER_RELEVANT_H
#define PLANNER_RELEVANT_H

#include "planner/plan.h"

struct plan_relevant_attribute {
	const char *resource;	   /* module.a[0].type.name["k"]; keys as far as references have them */
	struct hcl_path attribute; /* as deep as the schema goes; empty: the object as a whole */
};

/*
 * What the changed objects and outputs refer to, through variables, locals and outputs: expressions
 * are read, not evaluated. Each once; by resource, then attribute. Of the plan's life.
 */
const struct plan_relevant_attribute *plan_relevant_attributes(struct plan *plan, size_t *count);

#endif
