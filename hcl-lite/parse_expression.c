/* Conditionals, operators, terms and calls. */
#include "hcl-lite/parser.h"

#include "base/intern.h"

/* Binary operators by how tightly they bind. */
static const struct {
	uint8_t token, level;
	enum hcl_operator op;
} operators[] = {
	{ HCL_TOKEN_OR, 1, HCL_OP_OR },
	{ HCL_TOKEN_AND, 2, HCL_OP_AND },
	{ HCL_TOKEN_EQUAL_EQUAL, 3, HCL_OP_EQUAL },
	{ HCL_TOKEN_NOT_EQUAL, 3, HCL_OP_NOT_EQUAL },
	{ HCL_TOKEN_LESS, 4, HCL_OP_LESS },
	{ HCL_TOKEN_LESS_EQUAL, 4, HCL_OP_LESS_EQUAL },
	{ HCL_TOKEN_GREATER, 4, HCL_OP_GREATER },
	{ HCL_TOKEN_GREATER_EQUAL, 4, HCL_OP_GREATER_EQUAL },
	{ HCL_TOKEN_PLUS, 5, HCL_OP_ADD },
	{ HCL_TOKEN_MINUS, 5, HCL_OP_SUBTRACT },
	{ HCL_TOKEN_STAR, 6, HCL_OP_MULTIPLY },
	{ HCL_TOKEN_SLASH, 6, HCL_OP_DIVIDE },
	{ HCL_TOKEN_PERCENT, 6, HCL_OP_MODULO },
};

static int operator_of(struct hcl_token token)
{
	if (token.kind < HCL_TOKEN_STAR || token.kind > HCL_TOKEN_OR)
		return -1;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(operators); i++)
		if (operators[i].token == token.kind)
			return (int)i;
	return -1;
}

static struct hcl_expr *rule_binary(struct hcl_parser *p, uint8_t level)
{
	struct hcl_expr *left = hcl_rule_term(p);
	uint32_t chain = p->chain;

	for (;;) {
		struct hcl_token token = hcl_peek(p);
		int i = operator_of(token);
		if (i < 0 || operators[i].level < level || hcl_too_long(p, token))
			break;
		hcl_take(p);
		struct hcl_expr *binary = hcl_expr_alloc(p->arena, HCL_EXPR_BINARY, left->range);
		binary->binary.op = operators[i].op;
		binary->binary.left = left;
		binary->binary.op_range = hcl_token_range(p, token);
		binary->binary.right = rule_binary(p, operators[i].level + 1);
		binary->range.end = binary->binary.right->range.end;
		left = binary;
	}
	p->chain = chain;
	return left;
}

static struct hcl_expr *rule_conditional(struct hcl_parser *p)
{
	struct hcl_expr *condition = rule_binary(p, 1);

	if (!hcl_accept(p, HCL_TOKEN_QUESTION))
		return condition;
	struct hcl_expr *expr = hcl_expr_alloc(p->arena, HCL_EXPR_CONDITIONAL, condition->range);
	expr->conditional.condition = condition;
	expr->conditional.yes = hcl_rule_expression(p);
	if (!hcl_accept(p, HCL_TOKEN_COLON))
		hcl_show_from(hcl_fail(p, hcl_peek(p), "Missing false expression in conditional",
				      "The conditional operator (...?...:...) requires a false "
				      "expression, delimited by a colon."),
			condition->range);
	expr->conditional.no = hcl_rule_expression(p);
	expr->range.end = expr->conditional.no->range.end;
	return expr;
}

struct hcl_expr *hcl_rule_expression(struct hcl_parser *p)
{
	struct hcl_expr *expr;

	if (hcl_enter(p))
		expr = rule_conditional(p);
	else
		expr = hcl_expr_error(p, hcl_peek(p).start);
	hcl_leave(p);
	return expr;
}

static struct hcl_expr *rule_number(struct hcl_parser *p)
{
	struct hcl_token token = hcl_take(p);
	struct hcl_value value;

	if (!hcl_parse_number(p->arena, hcl_token_text(p, token), &value)) {
		hcl_report(p, hcl_token_range(p, token), "Invalid number literal",
			"Failed to recognize the value of this number literal.");
		return hcl_expr_error(p, token.start);
	}
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_LITERAL, token.start);
	expr->literal = value;
	return expr;
}

static struct hcl_expr *rule_parens(struct hcl_parser *p)
{
	struct hcl_token open = hcl_take(p);
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_PARENS, open.start);
	bool newlines = p->newlines;

	p->newlines = false;
	expr->wrapped = hcl_rule_expression(p);
	struct hcl_token close = hcl_peek(p);
	if (close.kind != HCL_TOKEN_CLOSE_PAREN)
		hcl_show_from(
			hcl_fail(p, close, "Unbalanced parentheses",
				"Expected a closing parenthesis to terminate the expression."),
			hcl_token_range(p, open));
	hcl_take(p);
	p->newlines = newlines;
	return hcl_expr_end(p, expr);
}

static struct hcl_expr *rule_unary(struct hcl_parser *p, enum hcl_operator op)
{
	struct hcl_token token = hcl_take(p);
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_UNARY, token.start);

	expr->unary.op = op;
	expr->unary.op_range = hcl_token_range(p, token);
	if (hcl_enter(p))
		expr->unary.operand = hcl_rule_term(p);
	else
		expr->unary.operand = hcl_expr_error(p, token.start);
	hcl_leave(p);
	expr->range.end = expr->unary.operand->range.end;
	return expr;
}

static bool is_literal_word(struct hcl_parser *p, struct hcl_token token, struct hcl_value *value)
{
	if (hcl_token_is(p, token, "true"))
		*value = hcl_bool_value(true);
	else if (hcl_token_is(p, token, "false"))
		*value = hcl_bool_value(false);
	else if (hcl_token_is(p, token, "null"))
		*value = hcl_null(hcl_dynamic);
	else
		return false;
	return true;
}

static struct hcl_expr *rule_name(struct hcl_parser *p)
{
	enum hcl_token_kind second = hcl_peek_second(p).kind;
	struct hcl_value value;

	if (second == HCL_TOKEN_OPEN_PAREN || second == HCL_TOKEN_DOUBLE_COLON)
		return hcl_rule_call(p);
	struct hcl_token token = hcl_take(p);
	if (is_literal_word(p, token, &value)) {
		struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_LITERAL, token.start);
		expr->literal = value;
		return expr;
	}
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_TRAVERSAL, token.start);
	expr->traversal.root = hcl_token_name(p, token);
	expr->traversal.root_end = expr->range.end;
	return expr;
}

static struct hcl_expr *no_term(struct hcl_parser *p, struct hcl_token token)
{
	if (token.kind == HCL_TOKEN_EOF)
		hcl_fail(p, token, "Missing expression",
			"Expected the start of an expression, but found the end of the file.");
	else
		hcl_fail(p, token, "Invalid expression",
			"Expected the start of an expression, but found an invalid expression "
			"token.");
	return hcl_expr_error(p, token.start);
}

static struct hcl_expr *rule_bare_term(struct hcl_parser *p)
{
	struct hcl_token token = hcl_peek(p);

	switch (token.kind) {
	case HCL_TOKEN_IDENTIFIER:
		return rule_name(p);
	case HCL_TOKEN_NUMBER:
		return rule_number(p);
	case HCL_TOKEN_OPEN_PAREN:
		return rule_parens(p);
	case HCL_TOKEN_OPEN_QUOTE:
	case HCL_TOKEN_OPEN_HEREDOC:
		return hcl_rule_template(p, hcl_take(p));
	case HCL_TOKEN_OPEN_BRACKET:
		return hcl_rule_tuple(p);
	case HCL_TOKEN_OPEN_BRACE:
		return hcl_rule_object(p);
	default:
		return no_term(p, token);
	}
}

struct hcl_expr *hcl_rule_term(struct hcl_parser *p)
{
	switch (hcl_peek(p).kind) {
	case HCL_TOKEN_MINUS:
		return rule_unary(p, HCL_OP_NEGATE);
	case HCL_TOKEN_BANG:
		return rule_unary(p, HCL_OP_NOT);
	default:
		return hcl_rule_steps(p, rule_bare_term(p));
	}
}

/* name or space::name, as one interned text without the blanks between. */
static const char *rule_call_name(struct hcl_parser *p)
{
	struct hcl_token token = hcl_take(p);
	const char *name = hcl_token_name(p, token);
	uint32_t start = token.start;
	zp_autobuf whole = ZP_BUF_INIT;

	while (hcl_accept(p, HCL_TOKEN_DOUBLE_COLON)) {
		if (!whole.len)
			zp_buf_puts(&whole, name);
		token = hcl_peek(p);
		if (token.kind != HCL_TOKEN_IDENTIFIER) {
			hcl_show_from(
				hcl_fail(p, token, "Missing function name",
					"Function scope resolution symbol :: must be followed by a "
					"function name in this scope."),
				hcl_range(p, start, start));
			break;
		}
		hcl_take(p);
		zp_buf_puts(&whole, "::");
		zp_buf_puts(&whole, hcl_token_name(p, token));
	}
	return whole.len ? zp_intern(zp_buf_slice(&whole)) : name;
}

static void rule_arguments(struct hcl_parser *p, struct hcl_expr *call, struct zp_range open)
{
	struct hcl_expr_vec args = { 0 };

	while (!p->failed && hcl_peek(p).kind != HCL_TOKEN_CLOSE_PAREN) {
		zp_vec_push(&args, hcl_rule_expression(p));
		struct hcl_token token = hcl_peek(p);
		if (token.kind == HCL_TOKEN_CLOSE_PAREN)
			break;
		if (token.kind == HCL_TOKEN_ELLIPSIS) {
			hcl_take(p);
			call->call.expand_last = true;
			if (hcl_peek(p).kind != HCL_TOKEN_CLOSE_PAREN)
				hcl_show_from(
					hcl_fail(p, token, "Missing closing parenthesis",
						"An expanded function argument (with ...) must be "
						"immediately followed by closing parentheses."),
					open);
			break;
		}
		if (token.kind == HCL_TOKEN_EOF)
			hcl_fail_at(p, token, open, "Unterminated function call",
				"There is no closing parenthesis for this function call before the "
				"end of the file. This may be caused by incorrect parenthesis "
				"nesting elsewhere in this file.");
		else if (token.kind != HCL_TOKEN_COMMA)
			hcl_show_from(
				hcl_fail(p, token, "Missing argument separator",
					"A comma is required to separate each function argument "
					"from the next."),
				open);
		hcl_take(p);
	}
	call->call.count = (uint32_t)args.count;
	call->call.args = zp_vec_to_arena(&args, p->arena);
	zp_vec_release(&args);
}

struct hcl_expr *hcl_rule_call(struct hcl_parser *p)
{
	struct hcl_expr *expr = hcl_expr_new(p, HCL_EXPR_CALL, hcl_peek(p).start);

	expr->call.name = rule_call_name(p);
	expr->call.name_end = hcl_expr_end(p, expr)->range.end;
	struct hcl_token token = hcl_peek(p);
	if (token.kind != HCL_TOKEN_OPEN_PAREN)
		hcl_show_from(
			hcl_fail(p, token, "Missing open parenthesis",
				"Function selector must be followed by an open parenthesis to "
				"begin the function call."),
			hcl_call_name_range(expr));
	hcl_take(p);
	bool newlines = p->newlines;
	p->newlines = false;
	rule_arguments(p, expr, zp_range_join(expr->range, hcl_token_range(p, token)));
	struct zp_range close = hcl_token_range(p, hcl_peek(p));
	expr->call.close_start = close.start;
	expr->call.close_end = close.end;
	hcl_take(p);
	p->newlines = newlines;
	return hcl_expr_end(p, expr);
}
