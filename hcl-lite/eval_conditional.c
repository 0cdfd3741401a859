/*
 * condition ? yes : no
 *
 * Both branches are evaluated, as the type of the result is what the two have in common; what goes
 * wrong in the one that is not taken is forgotten.
 */
#include "hcl-lite/eval_internal.h"

struct branch {
	const struct hcl_expr *expr;
	struct hcl_value value;
	struct zp_diags diags;
	bool has_diags; /* they were made */
};

static void evaluate_branch(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct branch *branch)
{
	branch->expr = expr;
	branch->has_diags = expr->kind != HCL_EXPR_LITERAL;
	if (!branch->has_diags) {
		branch->value = expr->literal;
		return;
	}
	struct hcl_evaluation inner = *ev;
	zp_diags_init(&branch->diags);
	inner.diags = &branch->diags;
	branch->value = hcl_evaluate(&inner, expr);
	if (branch->diags.errors)
		branch->value = hcl_unknown(hcl_dynamic);
}

static void release_branch(struct branch *branch)
{
	if (branch->has_diags)
		zp_diags_release(&branch->diags);
}

static void describe(const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out);

static bool describe_objects(const struct hcl_type *yes, const struct hcl_type *no,
	struct zp_buf *out)
{
	uint32_t i = 0, j = 0;

	while (i < yes->count || j < no->count) {
		int order = i == yes->count ? 1 :
			    j == no->count  ? -1 :
					      strcmp(yes->attributes[i].name, no->attributes[j].name);
		if (order) {
			bool in_yes = order < 0;
			zp_buf_printf(out,
				"The '%s' value includes object attribute \"%s\", which is absent in "
				"the '%s' value",
				in_yes ? "true" : "false",
				in_yes ? yes->attributes[i].name : no->attributes[j].name,
				in_yes ? "false" : "true");
			return true;
		}
		if (yes->attributes[i].type != no->attributes[j].type) {
			zp_buf_printf(out, "Type mismatch for object attribute \"%s\": ",
				yes->attributes[i].name);
			describe(yes->attributes[i].type, no->attributes[j].type, out);
			return true;
		}
		i++;
		j++;
	}
	return false;
}

static bool describe_tuples(const struct hcl_type *yes, const struct hcl_type *no,
	struct zp_buf *out)
{
	if (yes->count != no->count) {
		zp_buf_printf(out,
			"The 'true' tuple has length %u, but the 'false' tuple has length %u",
			yes->count, no->count);
		return true;
	}
	for (uint32_t i = 0; i < yes->count; i++) {
		if (yes->elements[i] == no->elements[i])
			continue;
		zp_buf_printf(out, "Type mismatch for tuple element %u: ", i);
		describe(yes->elements[i], no->elements[i], out);
		return true;
	}
	return false;
}

static bool describe_collections(const struct hcl_type *yes, const struct hcl_type *no,
	struct zp_buf *out)
{
	enum hcl_kind kind = yes->element->kind;

	if (yes->kind != no->kind || kind != no->element->kind ||
		(kind != HCL_OBJECT && kind != HCL_TUPLE))
		return false;
	zp_buf_printf(out, "Mismatched %s element types: ",
		yes->kind == HCL_LIST  ? "list"
		: yes->kind == HCL_SET ? "set"
				       : "map");
	describe(yes->element, no->element, out);
	return true;
}

static void describe(const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out)
{
	zp_autobuf yes_name = ZP_BUF_INIT, no_name = ZP_BUF_INIT;

	if (yes->kind == HCL_OBJECT && no->kind == HCL_OBJECT && describe_objects(yes, no, out))
		return;
	if (yes->kind == HCL_TUPLE && no->kind == HCL_TUPLE && describe_tuples(yes, no, out))
		return;
	if (hcl_type_is_collection(yes) && hcl_type_is_collection(no) &&
		describe_collections(yes, no, out))
		return;
	hcl_type_friendly(yes, &yes_name);
	hcl_type_friendly(no, &no_name);
	if (strcmp(yes_name.ptr, no_name.ptr) == 0)
		zp_buf_puts(out, "At least one deeply-nested attribute or element is not compatible "
				 "across both the 'true' and the 'false' value");
	else
		zp_buf_printf(out, "The 'true' value is %s, but the 'false' value is %s",
			yes_name.ptr, no_name.ptr);
}

static bool is_bare_null(struct hcl_value v)
{
	return v.state == HCL_NULL && v.type->kind == HCL_DYNAMIC && !v.marks;
}

static const struct hcl_type *common_type(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct hcl_value yes, struct hcl_value no)
{
	zp_autobuf reason = ZP_BUF_INIT;

	if (is_bare_null(yes))
		return no.type;
	if (is_bare_null(no))
		return yes.type;
	const struct hcl_type *both[] = { yes.type, no.type };
	const struct hcl_type *type = hcl_unify(both, 2);
	if (type)
		return type;
	describe(yes.type, no.type, &reason);
	struct zp_diag *diag = zp_diag_error(ev->diags,
		zp_range_join(expr->conditional.yes->range, expr->conditional.no->range),
		"Inconsistent conditional result types",
		"The true and false result expressions must have consistent types. %s.", reason.ptr);
	hcl_diag_refine(ev, diag, expr->range, expr);
	return NULL;
}

static bool definitely_not_null(struct hcl_value v)
{
	return v.state == HCL_KNOWN || (v.state == HCL_UNKNOWN && v.type->kind != HCL_DYNAMIC &&
					       v.refinement && v.refinement->not_null);
}

/* What holds for both branches holds for the result, whichever it will be. */
static struct hcl_value undecided(const struct hcl_type *type, struct hcl_value condition,
	struct hcl_value yes, struct hcl_value no)
{
	unsigned marks = condition.marks | yes.marks | no.marks;

	if (hcl_is_null(yes) && hcl_is_null(no))
		return hcl_mark(hcl_null(type), marks);
	if (definitely_not_null(yes) && definitely_not_null(no))
		return hcl_mark(hcl_unknown_not_null(type), marks);
	return hcl_mark(hcl_unknown(type), marks);
}

static struct hcl_value take(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct branch *branch, const struct hcl_type *type, bool yes)
{
	zp_autobuf reason = ZP_BUF_INIT;
	struct hcl_value v;

	if (branch->has_diags)
		zp_diags_move(ev->diags, &branch->diags);
	if (hcl_convert(ev->arena, branch->value, type, &v, &reason))
		return v;
	struct zp_diag *diag = zp_diag_error(ev->diags, branch->expr->range,
		"Inconsistent conditional result types", "The %s result value has the wrong type: %s.",
		yes ? "true" : "false", reason.ptr ? reason.ptr : "");
	hcl_diag_refine(ev, diag, expr->range, branch->expr);
	return hcl_unknown(type);
}

static struct hcl_value bad_condition(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	const struct hcl_type *type, const char *summary, const char *detail)
{
	const struct hcl_expr *condition = expr->conditional.condition;
	struct zp_diag *diag = zp_diag_error(ev->diags, condition->range, summary, "%s", detail);

	hcl_diag_refine(ev, diag, expr->range, condition);
	return hcl_unknown(type);
}

static struct hcl_value choose(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct branch *yes, struct branch *no)
{
	size_t errors = ev->diags->errors;
	const struct hcl_type *type = common_type(ev, expr, yes->value, no->value);

	if (!type)
		return hcl_unknown(hcl_dynamic);
	struct hcl_value condition = hcl_evaluate(ev, expr->conditional.condition);
	if (ev->diags->errors > errors)
		return hcl_unknown(type);
	if (hcl_is_null(condition))
		return bad_condition(ev, expr, type, "Null condition",
			"The condition value is null. Conditions must either be true or false.");
	if (!hcl_is_known(condition))
		return undecided(type, condition, yes->value, no->value);
	if (!hcl_convert(ev->arena, condition, hcl_bool, &condition, NULL))
		return bad_condition(ev, expr, type, "Incorrect condition type",
			"The condition expression must be of type bool.");
	struct hcl_value v = condition.boolean ? take(ev, expr, yes, type, true) :
						 take(ev, expr, no, type, false);
	return hcl_mark(v, condition.marks);
}

struct hcl_value hcl_eval_conditional(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct branch yes, no;

	evaluate_branch(ev, expr->conditional.yes, &yes);
	evaluate_branch(ev, expr->conditional.no, &no);
	struct hcl_value v = choose(ev, expr, &yes, &no);
	release_branch(&yes);
	release_branch(&no);
	return v;
}
