/*
 * What count and for_each may be. Used where a plan decides the instances, and by validation, which
 * knows less: there (deciding false) what is not known yet is passed over in silence.
 */
#ifndef PLANNER_REPETITION_H
#define PLANNER_REPETITION_H

#include "base/diag.h"
#include "hcl-lite/eval.h"

/* True when count is set; otherwise why not has been reported, or the value is not known. */
bool plan_count_from(struct zp_arena *arena, struct zp_diags *diags, const struct hcl_expr *expr,
	struct hcl_value value, bool deciding, int64_t *count);
/* True for a known map, object or set of strings. */
bool plan_for_each_fits(struct zp_diags *diags, const struct hcl_expr *expr, struct hcl_value value,
	bool deciding);

#endif
