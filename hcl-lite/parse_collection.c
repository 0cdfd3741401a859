/* Tuples, objects, and for expressions, which begin like them. */
#include "hcl-lite/parser.h"

#define FOR_ERROR "Invalid 'for' expression"

static const char *rule_for_name(struct hcl_parser *p, struct hcl_token open, const char *complaint)
{
	struct hcl_token token = hcl_peek(p);

	if (token.kind != HCL_TOKEN_IDENTIFIER) {
		hcl_show_from(
			hcl_fail(p, token, FOR_ERROR, "%s", complaint), hcl_token_range(p, open));
		return "";
	}
	hcl_take(p);
	return hcl_token_name(p, token);
}

static void rule_for_intro(struct hcl_parser *p, struct hcl_expr *expr, struct hcl_token open)
{
	hcl_take(p);
	expr->loop.value_name =
		rule_for_name(p, open, "For expression requires variable name after 'for'.");
	if (hcl_accept(p, HCL_TOKEN_COMMA)) {
		expr->loop.key_name = expr->loop.value_name;
		expr->loop.value_name = rule_for_name(
			p, open, "For expression requires value variable name after comma.");
	}
	struct hcl_token token = hcl_peek(p);
	if (!hcl_token_is(p, token, "in"))
		hcl_show_from(hcl_fail(p, token, FOR_ERROR,
				      "For expression requires the 'in' keyword after its name "
				      "declarations."),
			hcl_token_range(p, open));
	hcl_take(p);
	expr->loop.collection = hcl_rule_expression(p);
	token = hcl_peek(p);
	if (token.kind != HCL_TOKEN_COLON)
		hcl_show_from(hcl_fail(p, token, FOR_ERROR,
				      "For expression requires a colon after the collection "
				      "expression."),
			hcl_token_range(p, open));
	hcl_take(p);
}

static void report_kind(struct hcl_parser *p, const struct hcl_expr *whole, struct zp_range subject,
	const char *detail)
{
	struct zp_diag *diag = hcl_report(p, subject, FOR_ERROR, "%s", detail);

	if (diag)
		diag->context = whole->range;
}

static void check_for_kind(
	struct hcl_parser *p, const struct hcl_expr *expr, bool object, struct hcl_token ellipsis)
{
	if (!object && expr->loop.key)
		report_kind(p, expr, expr->loop.key->range,
			"Key expression is not valid when building a tuple.");
	if (!object && expr->loop.group)
		report_kind(p, expr, hcl_token_range(p, ellipsis),
			"Grouping ellipsis (...) cannot be used when building a tuple.");
	if (object && !expr->loop.key)
		report_kind(p, expr, expr->loop.value->range,
			"Key expression is required when building an object.");
}

/* The opening bracket or brace is taken and newlines are space. */
static struct hcl_expr *rule_for(struct hcl_parser *p, struct hcl_token open, bool object)
{
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_FOR, open.start);

	rule_for_intro(p, expr, open);
	expr->loop.value = hcl_rule_expression(p);
	if (hcl_accept(p, HCL_TOKEN_ARROW)) {
		expr->loop.key = expr->loop.value;
		expr->loop.value = hcl_rule_expression(p);
	}
	struct hcl_token ellipsis = hcl_peek(p);
	expr->loop.group = hcl_accept(p, HCL_TOKEN_ELLIPSIS);
	if (hcl_token_is(p, hcl_peek(p), "if")) {
		hcl_take(p);
		expr->loop.condition = hcl_rule_expression(p);
	}
	struct hcl_token close = hcl_peek(p);
	if (close.kind != (object ? HCL_TOKEN_CLOSE_BRACE : HCL_TOKEN_CLOSE_BRACKET))
		hcl_show_from(hcl_fail(p, close, FOR_ERROR,
				      "Extra characters after the end of the 'for' expression."),
			hcl_token_range(p, open));
	hcl_take(p);
	hcl_expr_end(p, expr);
	size_t errors = p->reported.count;
	check_for_kind(p, expr, object, ellipsis);
	return p->reported.count > errors ? hcl_expr_error(p, open.start) : expr;
}

static void rule_items(struct hcl_parser *p, struct hcl_expr *tuple, struct hcl_token open)
{
	struct hcl_expr_vec items = { 0 };

	while (!p->failed && hcl_peek(p).kind != HCL_TOKEN_CLOSE_BRACKET) {
		zp_vec_push(&items, hcl_rule_expression(p));
		struct hcl_token token = hcl_peek(p);
		if (token.kind == HCL_TOKEN_CLOSE_BRACKET)
			break;
		if (token.kind == HCL_TOKEN_EOF)
			hcl_fail_at(p, token, hcl_token_range(p, open),
				"Unterminated tuple constructor expression",
				"There is no corresponding closing bracket before the end of the "
				"file. This may be caused by incorrect bracket nesting elsewhere "
				"in this file.");
		else if (token.kind != HCL_TOKEN_COMMA)
			hcl_show_from(
				hcl_fail(p, token, "Missing item separator",
					"Expected a comma to mark the beginning of the next item."),
				hcl_token_range(p, open));
		hcl_take(p);
	}
	hcl_take(p);
	tuple->tuple.count = items.count;
	tuple->tuple.items = zp_vec_to_arena(&items, p->arena);
	zp_vec_release(&items);
}

struct hcl_expr *hcl_rule_tuple(struct hcl_parser *p)
{
	struct hcl_token open = hcl_take(p);
	bool newlines = p->newlines;
	struct hcl_expr *expr;

	p->newlines = false;
	if (hcl_token_is(p, hcl_peek(p), "for")) {
		expr = rule_for(p, open, false);
	} else {
		expr = hcl_expr_new(p, HCL_EXPR_TUPLE, open.start);
		rule_items(p, expr, open);
		hcl_expr_end(p, expr);
	}
	p->newlines = newlines;
	return expr;
}

ZP_VEC(item_vec, struct hcl_object_item);

static void fail_unterminated(struct hcl_parser *p, struct hcl_token token, struct hcl_token open)
{
	hcl_fail_at(p, token, hcl_token_range(p, open),
		"Unterminated object constructor expression",
		"There is no corresponding closing brace before the end of the file. This may be "
		"caused by incorrect brace nesting elsewhere in this file.");
}

/* A bare word, even true or null, is its own name. */
static struct hcl_expr *rule_key(struct hcl_parser *p)
{
	struct hcl_token token = hcl_peek(p);
	enum hcl_token_kind second =
		token.kind == HCL_TOKEN_IDENTIFIER ? hcl_peek_second(p).kind : HCL_TOKEN_EOF;

	if (second != HCL_TOKEN_EQUAL && second != HCL_TOKEN_COLON)
		return hcl_rule_expression(p);
	hcl_take(p);
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_TRAVERSAL, token.start);
	expr->traversal.root = hcl_token_name(p, token);
	expr->traversal.root_end = expr->range.end;
	return expr;
}

static void rule_separator(struct hcl_parser *p, struct hcl_token open)
{
	struct hcl_token token = hcl_peek(p);
	struct zp_diag *diag = NULL;

	if (token.kind == HCL_TOKEN_NEWLINE || token.kind == HCL_TOKEN_COMMA)
		diag = hcl_fail(p, token, "Missing attribute value",
			"Expected an attribute value, introduced by an equals sign (\"=\").");
	else if (token.kind == HCL_TOKEN_EOF)
		fail_unterminated(p, token, open);
	else if (token.kind != HCL_TOKEN_EQUAL && token.kind != HCL_TOKEN_COLON)
		diag = hcl_fail(p, token, "Missing key/value separator",
			"Expected an equals sign (\"=\") to mark the beginning of the attribute "
			"value.");
	hcl_show_from(diag, hcl_token_range(p, open));
	hcl_take(p);
}

/* After an item: false at the closing brace. */
static bool rule_next_attribute(struct hcl_parser *p, struct hcl_token open)
{
	struct hcl_token token = hcl_peek(p);

	if (token.kind == HCL_TOKEN_CLOSE_BRACE)
		return false;
	if (token.kind == HCL_TOKEN_EOF)
		fail_unterminated(p, token, open);
	else if (token.kind != HCL_TOKEN_COMMA && token.kind != HCL_TOKEN_NEWLINE)
		hcl_show_from(
			hcl_fail(p, token, "Missing attribute separator",
				"Expected a newline or comma to mark the beginning of the next "
				"attribute."),
			hcl_token_range(p, open));
	hcl_take(p);
	return true;
}

static void rule_attributes(struct hcl_parser *p, struct hcl_expr *object, struct hcl_token open)
{
	struct item_vec items = { 0 };

	p->newlines = true;
	for (;;) {
		while (hcl_accept(p, HCL_TOKEN_NEWLINE))
			;
		if (p->failed || hcl_peek(p).kind == HCL_TOKEN_CLOSE_BRACE)
			break;
		struct hcl_object_item item = { .key = rule_key(p) };
		rule_separator(p, open);
		item.value = hcl_rule_expression(p);
		zp_vec_push(&items, item);
		if (!rule_next_attribute(p, open))
			break;
	}
	hcl_take(p);
	object->object.count = items.count;
	object->object.items = zp_vec_to_arena(&items, p->arena);
	zp_vec_release(&items);
}

struct hcl_expr *hcl_rule_object(struct hcl_parser *p)
{
	struct hcl_token open = hcl_take(p);
	bool newlines = p->newlines;
	struct hcl_expr *expr;

	p->newlines = false;
	if (hcl_token_is(p, hcl_peek(p), "for")) {
		expr = rule_for(p, open, true);
	} else {
		expr = hcl_expr_new(p, HCL_EXPR_OBJECT, open.start);
		rule_attributes(p, expr, open);
		hcl_expr_end(p, expr);
	}
	p->newlines = newlines;
	return expr;
}
