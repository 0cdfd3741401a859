/*
 * A plan as people read it, and states the same way.
 */
#ifndef CLI_RENDER_PLAN_H
#define CLI_RENDER_PLAN_H

#include "cli/view.h"
#include "planner/plan.h"

/* The whole text, from what changed outside to the line that counts. */
void cli_render_plan(const struct cli_view *view, const struct plan *plan, struct zp_buf *out);
/* The objects and outputs of a state. problems: objects no built-in provider knows are named there. */
/* "1 to add, 0 to change, 0 to destroy". Heap. */
char *cli_plan_summary(const struct plan *plan);
/* One object, as `state show` has it. */
void cli_render_object_of_state(const struct cli_view *view, const struct state_object *object,
	struct zp_buf *out);
void cli_render_state(const struct cli_view *view, const struct state *state, struct zp_buf *out);
/* "name = value" for each output, as `zplan output` and the end of an apply show them. */
void cli_render_outputs(const struct cli_view *view, const struct state *state, struct zp_buf *out);
/* The value of one output; false when its stored form can not be read. */
bool cli_output_value(const struct state_output *output, struct zp_arena *arena,
	struct hcl_value *value);

#endif
