/*
 * Values and their differences as people read them, in Terraform's layout: two-column action symbols,
 * aligned names, heredocs for text of several lines, unchanged parts hidden.
 */
#ifndef CLI_RENDER_VALUE_H
#define CLI_RENDER_VALUE_H

#include "cli/view.h"
#include "hcl-lite/value.h"
#include "planner/plan.h"

struct cli_render {
	const struct cli_view *view;
	struct zp_buf *out;
	struct zp_arena *scratch;
	const struct hcl_path *replace; /* paths that force replacement */
	size_t replace_count;
	bool plain; /* no symbols at all: show, not a plan */
	bool open;  /* inside what may be of any type: maps look as objects do */
};

/*
 * "name = value" lines for all attributes of an object with nested blocks as blocks. depth 1 is inside
 * the resource's braces.
 */
void cli_render_object(struct cli_render *render, const struct provider_schema *schema,
	struct hcl_value before, struct hcl_value after, enum plan_action action, unsigned depth);
/* One named value, as in Changes to Outputs. width: of the name's column. */
void cli_render_named(struct cli_render *render, const char *name, size_t width,
	struct hcl_value before, struct hcl_value after, unsigned depth);
/* "  + " and its like, coloured; PLAN_NO_OP is blanks. */
void cli_render_symbol(struct cli_render *render, enum plan_action action, unsigned depth);

#endif
