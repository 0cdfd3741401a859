/*
 * A plan as a comment on a change: a table of what happens to which object, and the plan itself folded up.
 */
#ifndef CLI_RENDER_MARKDOWN_H
#define CLI_RENDER_MARKDOWN_H

#include "planner/plan.h"

/* Comments of the forges hold 65,536 characters; some room is left for what is put around it. */
#define CLI_MARKDOWN_LIMIT 60000
#define CLI_MARKDOWN_LEAST 2000

/* Appends at most limit bytes, at least CLI_MARKDOWN_LEAST. Sensitive values are not in it. */
void cli_render_markdown(const struct plan *plan, size_t limit, struct zp_buf *out);

#endif
