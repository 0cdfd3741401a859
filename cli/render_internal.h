/*
 * Shared by render_value.c and render_diff.c; not for others.
 */
#ifndef CLI_RENDER_INTERNAL_H
#define CLI_RENDER_INTERNAL_H

#include "cli/render_value.h"

/* One value whole; lines of its parts carry action's symbol (PLAN_NO_OP: none). */
void cli_render_plain(struct cli_render *render, struct hcl_value value, enum plan_action action,
	unsigned depth);
/* Blanks up to where text at this depth begins. */
void cli_render_indent(struct cli_render *render, unsigned depth);
/* The name as written before an equals sign, padded to width. */
void cli_render_key(struct cli_render *render, struct zp_str key, bool quoted, size_t width);
/* Length of that name as printed. */
size_t cli_render_key_width(struct zp_str key, bool quoted);
/* Every line of a heredoc's text, with symbols by its action. */
void cli_render_line(struct cli_render *render, struct zp_str line, enum plan_action action,
	unsigned depth);
bool cli_render_is_heredoc(struct hcl_value value);

#endif
