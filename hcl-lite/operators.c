#include "hcl-lite/eval_internal.h"
#include "hcl-lite/number.h"

enum signature { LOGIC, EQUALITY, COMPARISON, ARITHMETIC };

typedef bool (*arithmetic)(
	struct zp_arena *, struct hcl_value, struct hcl_value, struct hcl_value *);

static const struct {
	enum signature signature;
	arithmetic calculate;
	const char *undefined; /* why there is no result */
} operators[] = {
	[HCL_OP_OR] = { LOGIC, NULL, NULL },
	[HCL_OP_AND] = { LOGIC, NULL, NULL },
	[HCL_OP_EQUAL] = { EQUALITY, NULL, NULL },
	[HCL_OP_NOT_EQUAL] = { EQUALITY, NULL, NULL },
	[HCL_OP_LESS] = { COMPARISON, NULL, NULL },
	[HCL_OP_LESS_EQUAL] = { COMPARISON, NULL, NULL },
	[HCL_OP_GREATER] = { COMPARISON, NULL, NULL },
	[HCL_OP_GREATER_EQUAL] = { COMPARISON, NULL, NULL },
	[HCL_OP_ADD] = { ARITHMETIC, hcl_number_add, "can't compute sum of opposing infinities" },
	[HCL_OP_SUBTRACT] = { ARITHMETIC, hcl_number_subtract,
		"can't subtract infinity from itself" },
	[HCL_OP_MULTIPLY] = { ARITHMETIC, hcl_number_multiply, "can't multiply zero by infinity" },
	[HCL_OP_DIVIDE] = { ARITHMETIC, hcl_number_divide,
		"can't divide zero by zero or infinity by infinity" },
	[HCL_OP_MODULO] = { ARITHMETIC, hcl_number_modulo,
		"can't use modulo with zero and infinity" },
};

static const struct hcl_type *operand_type(enum signature signature)
{
	return signature == LOGIC ? hcl_bool : signature == EQUALITY ? hcl_dynamic : hcl_number;
}

static bool convert_operand(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	const struct hcl_expr *operand, const char *which, const struct hcl_type *type,
	struct hcl_value *v)
{
	zp_autobuf reason = ZP_BUF_INIT;

	if (hcl_convert(ev->arena, *v, type, v, &reason))
		return true;
	struct zp_diag *diag = zp_diag_error(ev->diags, operand->range, "Invalid operand",
		"Unsuitable value for %s operand: %s.", which, reason.ptr ? reason.ptr : "");
	hcl_diag_refine(ev, diag, expr->range, operand);
	return false;
}

static struct hcl_value fail(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	const struct hcl_type *type, const char *reason)
{
	struct zp_diag *diag = zp_diag_error(
		ev->diags, expr->range, "Operation failed", "Error during operation: %s.", reason);
	hcl_diag_expression(ev, diag, expr);
	return hcl_unknown(type);
}

static bool compare(enum hcl_operator op, int order)
{
	switch (op) {
	case HCL_OP_LESS:
		return order < 0;
	case HCL_OP_LESS_EQUAL:
		return order <= 0;
	case HCL_OP_GREATER:
		return order > 0;
	default:
		return order >= 0;
	}
}

/* Marks anywhere in the operands mark the answer. */
static struct hcl_value equality(enum hcl_operator op, struct hcl_value a, struct hcl_value b)
{
	unsigned marks = (a.inside | b.inside) & HCL_ALL_MARKS;
	bool equal;

	if (hcl_value_equality(a, b, &equal) == HCL_UNKNOWN)
		return hcl_mark(hcl_unknown_not_null(hcl_bool), marks);
	return hcl_mark(hcl_bool_value(equal == (op == HCL_OP_EQUAL)), marks);
}

/* Whether limits known of unknown numbers decide a comparison: 1 yes, 0 no, -1 open. */
static int compare_bounds(enum hcl_operator op, struct hcl_value a, struct hcl_value b)
{
	const struct hcl_refinement *ra = hcl_is_unknown(a) ? a.refinement : NULL;
	const struct hcl_refinement *rb = hcl_is_unknown(b) ? b.refinement : NULL;
	const struct hcl_value *a_min = hcl_is_known(a) ? &a : ra && ra->has_min ? ra->min : NULL;
	const struct hcl_value *a_max = hcl_is_known(a) ? &a : ra && ra->has_max ? ra->max : NULL;
	const struct hcl_value *b_min = hcl_is_known(b) ? &b : rb && rb->has_min ? rb->min : NULL;
	const struct hcl_value *b_max = hcl_is_known(b) ? &b : rb && rb->has_max ? rb->max : NULL;

	if (a_max && b_min && hcl_number_compare(*a_max, *b_min) < 0)
		return op == HCL_OP_LESS || op == HCL_OP_LESS_EQUAL;
	if (a_min && b_max && hcl_number_compare(*a_min, *b_max) > 0)
		return op == HCL_OP_GREATER || op == HCL_OP_GREATER_EQUAL;
	return -1;
}

static struct hcl_value comparison(enum hcl_operator op, struct hcl_value a, struct hcl_value b)
{
	if (hcl_is_known(a) && hcl_is_known(b))
		return hcl_bool_value(compare(op, hcl_number_compare(a, b)));
	int decided = compare_bounds(op, a, b);
	return decided < 0 ? hcl_unknown_not_null(hcl_bool) : hcl_bool_value(decided);
}

struct hcl_value hcl_eval_binary(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	enum hcl_operator op = expr->binary.op;
	enum signature signature = operators[op].signature;
	const struct hcl_type *type = signature == ARITHMETIC ? hcl_number : hcl_bool;
	size_t errors = ev->diags->errors;
	struct hcl_value a = hcl_evaluate(ev, expr->binary.left);
	struct hcl_value b = hcl_evaluate(ev, expr->binary.right);

	convert_operand(ev, expr, expr->binary.left, "left", operand_type(signature), &a);
	convert_operand(ev, expr, expr->binary.right, "right", operand_type(signature), &b);
	if (ev->diags->errors > errors)
		return hcl_unknown(type);
	if (signature == EQUALITY)
		return equality(op, a, b);
	if (hcl_is_null(a) || hcl_is_null(b))
		return fail(ev, expr, type, "argument must not be null");
	unsigned marks = a.marks | b.marks;
	a = hcl_unmark(a, NULL);
	b = hcl_unmark(b, NULL);
	struct hcl_value result;
	if (signature == COMPARISON)
		result = comparison(op, a, b);
	else if (!hcl_is_known(a) || !hcl_is_known(b))
		result = hcl_unknown_not_null(type);
	else if (signature == LOGIC)
		result = hcl_bool_value(
			op == HCL_OP_AND ? a.boolean && b.boolean : a.boolean || b.boolean);
	else if (!operators[op].calculate(ev->arena, a, b, &result))
		return fail(ev, expr, type, operators[op].undefined);
	return hcl_mark(result, marks);
}

struct hcl_value hcl_eval_unary(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	bool negate = expr->unary.op == HCL_OP_NEGATE;
	const struct hcl_type *type = negate ? hcl_number : hcl_bool;
	size_t errors = ev->diags->errors;
	unsigned marks;
	struct hcl_value v = hcl_evaluate(ev, expr->unary.operand);

	if (ev->diags->errors > errors ||
		!convert_operand(ev, expr, expr->unary.operand, "unary", type, &v))
		return hcl_unknown(type);
	if (hcl_is_null(v))
		return fail(ev, expr, type, "argument must not be null");
	v = hcl_unmark(v, &marks);
	if (!hcl_is_known(v))
		v = hcl_unknown_not_null(type);
	else
		v = negate ? hcl_number_negate(ev->arena, v) : hcl_bool_value(!v.boolean);
	return hcl_mark(v, marks);
}
