/*
 * How things look to people: colours, width, diagnostics.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "base/diag.h"
#include "base/json.h"

struct cli_view {
	bool color;
	unsigned columns; /* to wrap prose at */
};

enum cli_style { CLI_RESET, CLI_BOLD, CLI_UNDERLINE, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BLUE,
	CLI_CYAN, CLI_GREY };

/* For standard output: colours on a terminal, unless no_color or NO_COLOR says otherwise. */
struct cli_view cli_view_init(bool no_color);
/* The escape sequence, or "" without colours. */
const char *cli_style(const struct cli_view *view, enum cli_style style);

/* Prose broken at the view's width; lines that begin with a space stay as they are. */
void cli_wrap(struct zp_buf *out, const char *text, unsigned columns);
/* One diagnostic for people, with its source and the range marked. */
void cli_diag_text(const struct cli_view *view, const struct zp_diag *diag, struct zp_buf *out);
/* As Terraform's machine-readable diagnostics. */
void cli_diag_json(struct zp_json_writer *writer, const struct zp_diag *diag);
/* Warnings to stdout, errors to stderr, in the order zp_diags_sort gives. */
void cli_print_diags(const struct cli_view *view, struct zp_diags *diags);
/* One error without a place. */
void cli_print_error(const struct cli_view *view, const char *summary, const char *fmt, ...)
	ZP_PRINTF(3, 4);

#endif
