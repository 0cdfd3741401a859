/* The ways into the parser. */
#include "hcl-lite/parser.h"

static bool is_too_long(const struct zp_source *source, struct zp_diags *diags)
{
	if (source->text.len <= ZP_SOURCE_MAX_BYTES)
		return false;
	zp_diag_error(diags, (struct zp_range){ source, 0, 0 }, "File too large",
		"A configuration file may be at most 1 GiB long.");
	return true;
}

static struct hcl_parser *open_parser(const struct zp_source *source, enum hcl_lex_mode mode,
	struct zp_arena *arena, struct zp_diags *diags)
{
	struct zp_str text = is_too_long(source, diags) ? zp_strn("", 0) : source->text;

	return hcl_parser_new(source, text, mode, arena, diags);
}

/* Each diagnostic names the block it is in. Their sink may be shared; they themselves are ours
 * until now. */
static void add_contexts(struct hcl_parser *p, const struct hcl_body *body)
{
	for (size_t i = 0; i < p->reported.count; i++) {
		zp_autobuf context = ZP_BUF_INIT;
		struct zp_diag *diag = p->reported.items[i];
		if (hcl_body_context(body, diag->subject, &context))
			zp_diag_in(p->diags, diag, zp_buf_slice(&context));
	}
}

struct hcl_body *hcl_parse_native(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	struct hcl_parser *p = open_parser(source, HCL_LEX_CONFIG, arena, diags);
	struct hcl_body *body = hcl_rule_body(p);

	add_contexts(p, body);
	hcl_parser_free(p);
	return body;
}

struct hcl_body *hcl_parse_file(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	if (zp_str_ends(zp_str(source->name), ".json"))
		return hcl_parse_json(source, arena, diags);
	return hcl_parse_native(source, arena, diags);
}

struct hcl_expr *hcl_parse_whole_expression(struct hcl_parser *p)
{
	p->newlines = false;
	struct hcl_expr *expr = hcl_rule_expression(p);
	struct hcl_token token = hcl_peek(p);

	if (token.kind != HCL_TOKEN_EOF)
		hcl_fail(p, token, "Extra characters after expression",
			"An expression was successfully parsed, but extra characters were found "
			"after it.");
	return p->failed ? hcl_expr_error(p, 0) : expr;
}

struct hcl_expr *hcl_parse_whole_template(struct hcl_parser *p)
{
	return hcl_rule_template(p, (struct hcl_token){ 0, 0, HCL_TOKEN_EOF });
}

struct hcl_expr *hcl_parse_expression(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	struct hcl_parser *p = open_parser(source, HCL_LEX_CONFIG, arena, diags);
	struct hcl_expr *expr = hcl_parse_whole_expression(p);

	hcl_parser_free(p);
	return expr;
}

struct hcl_expr *hcl_parse_template(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	struct hcl_parser *p = open_parser(source, HCL_LEX_TEMPLATE, arena, diags);
	struct hcl_expr *expr = hcl_parse_whole_template(p);

	hcl_parser_free(p);
	return expr;
}

/* As an expression, but with constant steps only, and with messages that fit a command line. */
static void rule_traversal_step(struct hcl_parser *p, struct hcl_step_vec *steps)
{
	struct hcl_token open = hcl_take(p), token = hcl_peek(p);
	struct hcl_traverse step = { 0 };

	if (open.kind == HCL_TOKEN_DOT) {
		if (token.kind != HCL_TOKEN_IDENTIFIER)
			hcl_fail(p, token, "Attribute name required",
				"Dot must be followed by attribute name.");
		hcl_take(p);
		step.name = hcl_token_name(p, token);
	} else {
		struct hcl_expr *key = NULL;
		if (token.kind == HCL_TOKEN_NUMBER || token.kind == HCL_TOKEN_OPEN_QUOTE)
			key = hcl_rule_term(p);
		if (!key || key->kind != HCL_EXPR_LITERAL)
			hcl_fail(p, token, "Index value required",
				"Index brackets must contain either a literal number or a literal "
				"string.");
		else
			step.key = key->literal;
		if (hcl_peek(p).kind != HCL_TOKEN_CLOSE_BRACKET)
			hcl_fail(p, hcl_peek(p), "Unclosed index brackets",
				"Index key must be followed by a closing bracket.");
		hcl_take(p);
	}
	step.range = hcl_range(p, open.start, p->last_end);
	zp_vec_push(steps, step);
}

struct hcl_expr *hcl_parse_whole_traversal(struct hcl_parser *p)
{
	struct hcl_step_vec steps = { 0 };
	struct hcl_token root = hcl_peek(p), token;

	if (root.kind != HCL_TOKEN_IDENTIFIER)
		hcl_fail(p, root, "Variable name required", "Must begin with a variable name.");
	hcl_take(p);
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_TRAVERSAL, root.start);
	expr->traversal.root = hcl_token_name(p, root);
	expr->traversal.root_end = expr->range.end;
	while ((token = hcl_peek(p)).kind != HCL_TOKEN_EOF) {
		if (token.kind != HCL_TOKEN_DOT && token.kind != HCL_TOKEN_OPEN_BRACKET)
			hcl_fail(p, token, "Invalid character",
				"Expected an attribute access or an index operator.");
		else
			rule_traversal_step(p, &steps);
	}
	expr->traversal.count = (uint32_t)steps.count;
	expr->traversal.steps = zp_vec_to_arena(&steps, p->arena);
	zp_vec_release(&steps);
	return p->failed ? NULL : hcl_expr_end(p, expr);
}

struct hcl_expr *hcl_parse_traversal(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	struct hcl_parser *p = open_parser(source, HCL_LEX_CONFIG, arena, diags);
	struct hcl_expr *expr = hcl_parse_whole_traversal(p);

	hcl_parser_free(p);
	return expr;
}
