/*
 * try and can, which take expressions rather than values.
 */
#include "base/vec.h"
#include "hcl-lite/function.h"

struct attempt {
	struct hcl_evaluation *ev;
	struct zp_diags diags; /* of what failed */
};

static struct hcl_value attempt(struct attempt *a, const struct hcl_expr *expr, bool *failed)
{
	struct hcl_evaluation inner = *a->ev;
	size_t errors = a->diags.errors;

	inner.diags = &a->diags;
	inner.trial = true;
	struct hcl_value v = hcl_evaluate(&inner, expr);
	*failed = a->diags.errors > errors;
	return v;
}

/* file:1,2-3, or file:1,2-3,4 over several lines. */
static void add_place(struct zp_buf *out, struct zp_range range)
{
	struct zp_position start = zp_source_position(range.file, range.start);
	struct zp_position end = zp_source_position(range.file, range.end);

	zp_buf_printf(out, "%s:%u,%u-", range.file->name, start.line, start.column);
	if (end.line != start.line)
		zp_buf_printf(out, "%u,", end.line);
	zp_buf_printf(out, "%u", end.column);
}

static void nothing_succeeded(struct attempt *a, const struct hcl_expr *expr)
{
	zp_autobuf text = ZP_BUF_INIT;

	for (size_t i = 0; i < a->diags.count; i++) {
		const struct zp_diag *diag = a->diags.items[i];
		zp_buf_printf(&text, "- %s", diag->summary);
		if (diag->subject.file) {
			zp_buf_puts(&text, " (at ");
			add_place(&text, diag->subject);
			zp_buf_char(&text, ')');
		}
		zp_buf_printf(&text, "\n  %s\n", diag->detail);
	}
	struct zp_diag *diag = zp_diag_error(a->ev->diags, hcl_start_range(expr),
		"Error in function call",
		"Call to function \"%s\" failed: no expression succeeded:\n%s\nAt least one "
		"expression must produce a successful result.",
		expr->call.name, text.ptr ? text.ptr : "");
	diag->function = expr->call.name;
	hcl_diag_refine(a->ev, diag, expr->range, expr);
}

static struct hcl_value wrong_count(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct zp_range subject, const char *summary, const char *detail)
{
	struct zp_diag *diag = zp_diag_error(ev->diags, subject, summary, "%s", detail);

	diag->function = expr->call.name;
	diag->context = expr->range;
	return hcl_unknown(hcl_dynamic);
}

/* What could still turn out to fail makes the choice, and so the type, open. */
static struct hcl_value taken(struct hcl_value v)
{
	return hcl_is_wholly_known(v) ? v : hcl_unknown(hcl_dynamic);
}

/* try(x...): the elements are values already, so the first one it is. */
static bool take_expanded(struct hcl_value v, struct hcl_value *out)
{
	*out = hcl_unknown(hcl_dynamic);
	if (v.state != HCL_KNOWN || !hcl_type_is_sequence(v.type))
		return v.state == HCL_UNKNOWN;
	if (v.count == 0)
		return false;
	*out = hcl_mark(taken(v.elements[0]), v.marks);
	return true;
}

static struct hcl_value try_call(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct attempt a = { .ev = ev };
	struct hcl_value result = hcl_unknown(hcl_dynamic);
	bool done = false;

	if (expr->call.count == 0)
		return wrong_count(ev, expr, hcl_start_range(expr), "Error in function call",
			"Call to function \"try\" failed: at least one argument is required.");
	zp_diags_init(&a.diags);
	for (size_t i = 0; i < expr->call.count && !done; i++) {
		bool failed, expanded = expr->call.expand_last && i + 1 == expr->call.count;
		struct hcl_value v = attempt(&a, expr->call.args[i], &failed);
		if (failed)
			continue;
		if (expanded) {
			done = take_expanded(v, &result);
		} else {
			result = taken(v);
			done = true;
		}
	}
	if (!done)
		nothing_succeeded(&a, expr);
	zp_diags_release(&a.diags);
	return result;
}

static struct hcl_value can_call(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct attempt a = { .ev = ev };
	bool failed;

	if (expr->call.count == 0)
		return wrong_count(ev, expr, hcl_call_close_range(expr),
			"Not enough function arguments",
			"Function \"can\" expects 1 argument(s). Missing value for "
			"\"expression\".");
	if (expr->call.count > 1)
		return wrong_count(ev, expr, hcl_start_range(expr->call.args[1]),
			"Too many function arguments",
			"Function \"can\" expects only 1 argument(s).");
	zp_diags_init(&a.diags);
	struct hcl_value v = attempt(&a, expr->call.args[0], &failed);
	zp_diags_release(&a.diags);
	if (!failed && !hcl_is_wholly_known(v))
		return hcl_unknown_not_null(hcl_bool);
	return hcl_bool_value(!failed);
}

static const struct hcl_function functions[] = {
	{ .name = "try", .rest = { "expressions", HCL_T_ANY, HCL_ANYTHING }, .lazy = try_call },
	{ .name = "can",
		.params = { { "expression", HCL_T_ANY, HCL_ANYTHING } },
		.returns = HCL_T_BOOL,
		.lazy = can_call },
};

const struct hcl_function_list hcl_control_functions = { functions, ZP_ARRAY_SIZE(functions) };
