/* What follows a term: .name, .0, [key], .*, [*]. */
#include "hcl-lite/parser.h"

/* base followed by constant steps: more of them on a traversal, or a relative one. */
static struct hcl_expr *with_steps(
	struct hcl_parser *p, struct hcl_expr *base, struct hcl_step_vec *steps)
{
	struct hcl_expr *expr = base;

	if (!steps->count)
		return base;
	if (base->kind == HCL_EXPR_TRAVERSAL) {
		base->traversal.count = (uint32_t)steps->count;
		base->traversal.steps = zp_vec_to_arena(steps, p->arena);
	} else {
		expr = hcl_expr_alloc(p->arena, HCL_EXPR_RELATIVE, base->range);
		expr->relative.source = base;
		expr->relative.count = steps->count;
		expr->relative.steps = zp_vec_to_arena(steps, p->arena);
	}
	expr->range.end = steps->items[steps->count - 1].range.end;
	steps->count = 0;
	return expr;
}

/* a.0 means a[0]; the lexer reads a.0.1 as one number 0.1, which nobody can mean. */
static void rule_legacy_index(
	struct hcl_parser *p, struct hcl_token dot, struct hcl_step_vec *steps)
{
	struct hcl_token token = hcl_take(p);
	struct zp_str text = hcl_token_text(p, token);
	const char *point = memchr(text.ptr, '.', text.len);
	struct hcl_traverse step = { .range = hcl_range(p, dot.start, token.end) };

	if (point) {
		struct zp_str rest = zp_strn(point + 1, (size_t)(text.ptr + text.len - point - 1));
		hcl_report(p, hcl_token_range(p, token), "Invalid legacy index syntax",
			"When using the legacy index syntax, chaining two indexes together is not "
			"permitted. Use the proper index syntax instead, like [%.*s][%.*s].",
			(int)(point - text.ptr), text.ptr, ZP_FMT(rest));
		step.key = hcl_int_value(0);
	} else if (!hcl_parse_number(p->arena, text, &step.key)) {
		hcl_report(p, hcl_token_range(p, token), "Invalid number literal",
			"Failed to recognize the value of this number literal.");
		step.key = hcl_int_value(0);
	}
	zp_vec_push(steps, step);
}

static void rule_attribute_name(
	struct hcl_parser *p, struct hcl_token dot, struct hcl_step_vec *steps)
{
	struct hcl_token token = hcl_peek(p);

	if (token.kind == HCL_TOKEN_NUMBER) {
		rule_legacy_index(p, dot, steps);
		return;
	}
	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		hcl_fail(p, token, "Invalid attribute name",
			"An attribute name is required after a dot.");
		return;
	}
	hcl_take(p);
	struct hcl_traverse step = { .name = hcl_token_name(p, token),
		.range = hcl_range(p, dot.start, token.end) };
	zp_vec_push(steps, step);
}

static struct hcl_expr *new_splat(
	struct hcl_parser *p, struct hcl_expr *source, struct hcl_token open)
{
	struct hcl_expr *expr = hcl_expr_alloc(p->arena, HCL_EXPR_SPLAT, source->range);

	expr->splat.source = source;
	expr->splat.marker = hcl_range(p, open.start, p->last_end);
	expr->splat.item = hcl_expr_alloc(p->arena, HCL_EXPR_SPLAT_ITEM, expr->splat.marker);
	return expr;
}

static struct hcl_expr *end_splat(struct hcl_expr *expr, struct hcl_expr *each)
{
	expr->splat.each = each;
	expr->range.end = each->range.end;
	return expr;
}

/* x.*: only names and legacy indexes after it belong to each element; the star is the next token.
 */
static struct hcl_expr *rule_attribute_splat(
	struct hcl_parser *p, struct hcl_expr *source, struct hcl_token dot)
{
	struct hcl_step_vec steps = { 0 };

	hcl_take(p);
	struct hcl_expr *expr = new_splat(p, source, dot);
	while (hcl_peek(p).kind == HCL_TOKEN_DOT && !hcl_too_long(p, hcl_peek(p))) {
		struct hcl_token next = hcl_take(p);
		if (hcl_peek(p).kind == HCL_TOKEN_STAR)
			hcl_fail(p, hcl_peek(p), "Nested splat expression not allowed",
				"A splat expression (*) cannot be used inside another "
				"attribute-only splat expression.");
		else
			rule_attribute_name(p, next, &steps);
	}
	end_splat(expr, with_steps(p, expr->splat.item, &steps));
	zp_vec_release(&steps);
	return expr;
}

/* x[*]: everything after it belongs to each element. The star is the next token. */
static struct hcl_expr *rule_full_splat(
	struct hcl_parser *p, struct hcl_expr *source, struct hcl_token open, bool newlines)
{
	hcl_take(p);
	if (hcl_peek(p).kind != HCL_TOKEN_CLOSE_BRACKET)
		hcl_fail(p, hcl_peek(p), "Missing close bracket on splat index",
			"The star for a full splat operator must be immediately followed by a "
			"closing bracket (\"]\").");
	hcl_take(p);
	p->newlines = newlines;
	struct hcl_expr *expr = new_splat(p, source, open);
	hcl_enter(p); /* too deep: nothing more is seen below */
	end_splat(expr, hcl_rule_steps(p, expr->splat.item));
	hcl_leave(p);
	return expr;
}

/* Text and numbers are constant keys, and make a step; all else is looked up when evaluated. */
static bool is_constant_key(const struct hcl_expr *key)
{
	return key->kind == HCL_EXPR_LITERAL && key->literal.state == HCL_KNOWN &&
	       (key->literal.type == hcl_number || key->literal.type == hcl_string);
}

static struct hcl_expr *rule_index(struct hcl_parser *p, struct hcl_expr *base,
	struct hcl_token open, struct hcl_step_vec *steps, bool newlines)
{
	struct hcl_expr *key = hcl_rule_expression(p);
	struct hcl_token close = hcl_peek(p);

	if (close.kind != HCL_TOKEN_CLOSE_BRACKET)
		hcl_fail(p, close, "Missing close bracket on index",
			"The index operator must end with a closing bracket (\"]\").");
	hcl_take(p);
	p->newlines = newlines;
	struct zp_range brackets = hcl_range(p, open.start, p->last_end);
	if (is_constant_key(key)) {
		struct hcl_traverse step = { .key = key->literal, .range = brackets };
		zp_vec_push(steps, step);
		return base;
	}
	base = with_steps(p, base, steps);
	struct hcl_expr *expr = hcl_expr_alloc(p->arena, HCL_EXPR_INDEX, base->range);
	expr->index.collection = base;
	expr->range.end = brackets.end;
	expr->index.key = key;
	expr->index.brackets = brackets;
	return expr;
}

static struct hcl_expr *rule_dot(
	struct hcl_parser *p, struct hcl_expr *base, struct hcl_step_vec *steps)
{
	struct hcl_token dot = hcl_take(p);

	if (hcl_peek(p).kind == HCL_TOKEN_STAR)
		return rule_attribute_splat(p, with_steps(p, base, steps), dot);
	rule_attribute_name(p, dot, steps);
	return base;
}

static struct hcl_expr *rule_bracket(
	struct hcl_parser *p, struct hcl_expr *base, struct hcl_step_vec *steps)
{
	struct hcl_token open = hcl_take(p);
	bool newlines = p->newlines;

	p->newlines = false;
	if (hcl_peek(p).kind == HCL_TOKEN_STAR)
		return rule_full_splat(p, with_steps(p, base, steps), open, newlines);
	return rule_index(p, base, open, steps, newlines);
}

struct hcl_expr *hcl_rule_steps(struct hcl_parser *p, struct hcl_expr *base)
{
	struct hcl_step_vec steps = { 0 };
	uint32_t chain = p->chain;

	for (;;) {
		struct hcl_token token = hcl_peek(p);
		bool dot = token.kind == HCL_TOKEN_DOT;
		if ((!dot && token.kind != HCL_TOKEN_OPEN_BRACKET) || hcl_too_long(p, token))
			break;
		base = dot ? rule_dot(p, base, &steps) : rule_bracket(p, base, &steps);
	}
	base = with_steps(p, base, &steps);
	zp_vec_release(&steps);
	p->chain = chain;
	return base;
}
