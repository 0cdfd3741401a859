/*
 * A template between reading and building: a flat list of texts, expressions and directives. Strip
 * markers and the indentation of <<- heredocs work on this list; then directives are matched with
 * their ends and it becomes an expression. Internal to the parser.
 */
#ifndef HCL_TEMPLATE_H
#define HCL_TEMPLATE_H

#include "hcl-lite/parser.h"

enum hcl_part_kind {
	HCL_PART_TEXT,
	HCL_PART_EXPR,
	HCL_PART_IF,
	HCL_PART_ELSE,
	HCL_PART_ENDIF,
	HCL_PART_FOR,
	HCL_PART_ENDFOR,
	HCL_PART_END, /* the last, always */
};

struct hcl_part {
	enum hcl_part_kind kind;
	struct zp_range range;
	struct zp_str text;    /* escapes resolved */
	struct hcl_expr *expr; /* an interpolation's, a condition, or a collection */
	const char *key_name, *value_name;
};

ZP_VEC(hcl_part_vec, struct hcl_part);

/* Cuts white space, of any script, off one end. */
struct zp_str hcl_trim_start(struct zp_str text);
struct zp_str hcl_trim_end(struct zp_str text);
/* Takes the indentation that all lines share off each of them, for <<-. */
void hcl_part_unindent(struct hcl_part_vec *parts);
/* The expression; range is that of the whole, quotes included. */
struct hcl_expr *hcl_part_build(
	struct hcl_parser *p, const struct hcl_part_vec *parts, struct zp_range range);

#endif
