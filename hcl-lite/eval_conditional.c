/*
 * condition ? yes : no
 *
 * Both branches are evaluated, as the type of the result is what the two have in common; what goes
 * wrong in the one that is not taken is forgotten.
 */
#include "hcl-lite/eval_internal.h"
#include "hcl-lite/number.h"

/* Of a list of known length but unknown elements. */
#define MAX_UNKNOWN_ELEMENTS 1024

struct branch {
	const struct hcl_expr *expr;
	struct hcl_value value;
	struct zp_diags diags;
	bool has_diags; /* they were made */
};

static void evaluate_branch(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, struct branch *branch)
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
}

static void release_branch(struct branch *branch)
{
	if (branch->has_diags)
		zp_diags_release(&branch->diags);
}

static void describe(const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out);

static bool describe_objects(
	const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out)
{
	uint32_t i = 0, j = 0;

	while (i < yes->count || j < no->count) {
		int order = i == yes->count ? 1
			    : j == no->count
				    ? -1
				    : strcmp(yes->attributes[i].name, no->attributes[j].name);
		if (order) {
			bool in_yes = order < 0;
			zp_buf_printf(out,
				"The '%s' value includes object attribute \"%s\", which is absent "
				"in "
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

static bool describe_tuples(
	const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out)
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

static bool describe_collections(
	const struct hcl_type *yes, const struct hcl_type *no, struct zp_buf *out)
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
		zp_buf_puts(out,
			"At least one deeply-nested attribute or element is not compatible "
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
	if (yes.type->kind == HCL_DYNAMIC || no.type->kind == HCL_DYNAMIC)
		return hcl_dynamic;
	const struct hcl_type *both[] = { yes.type, no.type };
	const struct hcl_type *type = hcl_unify(both, 2);
	if (type)
		return type;
	describe(yes.type, no.type, &reason);
	struct zp_diag *diag = zp_diag_error(ev->diags,
		zp_range_join(expr->conditional.yes->range, expr->conditional.no->range),
		"Inconsistent conditional result types",
		"The true and false result expressions must have consistent types. %s.",
		reason.ptr);
	hcl_diag_refine(ev, diag, expr->range, expr);
	return NULL;
}

static bool definitely_not_null(struct hcl_value v)
{
	return v.state == HCL_KNOWN || (v.state == HCL_UNKNOWN && v.type->kind != HCL_DYNAMIC &&
					       v.refinement && v.refinement->not_null);
}

/* The limits of a number, NULL where it has none. */
static void number_bounds(
	const struct hcl_value *v, const struct hcl_value **min, const struct hcl_value **max)
{
	const struct hcl_refinement *r = hcl_is_unknown(*v) ? v->refinement : NULL;

	*min = hcl_is_unknown(*v) ? (r && r->has_min ? r->min : NULL) : v;
	*max = hcl_is_unknown(*v) ? (r && r->has_max ? r->max : NULL) : v;
}

static struct hcl_value either_number(
	struct hcl_evaluation *ev, struct hcl_value yes, struct hcl_value no)
{
	const struct hcl_value *low[2], *high[2];

	number_bounds(&yes, &low[0], &high[0]);
	number_bounds(&no, &low[1], &high[1]);
	const struct hcl_value *min = NULL, *max = NULL;
	if (low[0] && low[1])
		min = low[hcl_number_compare(*low[0], *low[1]) > 0];
	if (high[0] && high[1])
		max = high[hcl_number_compare(*high[0], *high[1]) < 0];
	return hcl_unknown_number(ev->arena, min, max);
}

/* As many elements as are known to come, each of them unknown; where that says no more than it
 * should. */
static struct hcl_value of_known_length(struct hcl_evaluation *ev, const struct hcl_type *type,
	uint32_t n, const struct hcl_refinement *r)
{
	struct hcl_value *elements = zp_arena_alloc(ev->arena, n * sizeof(*elements));

	for (uint32_t i = 0; i < n; i++)
		elements[i] = hcl_unknown(type->element);
	if (type->kind == HCL_LIST)
		return hcl_list_value(type->element, elements, n);
	if (type->kind == HCL_SET && n <= 1)
		return hcl_set_value(type->element, elements, n);
	if (type->kind == HCL_MAP && n == 0)
		return hcl_map_value(type->element, NULL, 0);
	return hcl_unknown_refined(type, r);
}

static struct hcl_value either_collection(struct hcl_evaluation *ev, const struct hcl_type *type,
	struct hcl_value yes, struct hcl_value no)
{
	struct hcl_refinement *r = zp_new(ev->arena, struct hcl_refinement);
	uint32_t min, max;

	r->not_null = true;
	hcl_length_bounds(yes, &r->length_min, &r->length_max);
	hcl_length_bounds(no, &min, &max);
	if (min < r->length_min)
		r->length_min = min;
	if (max > r->length_max)
		r->length_max = max;
	if (r->length_min != r->length_max || r->length_max > MAX_UNKNOWN_ELEMENTS)
		return hcl_unknown_refined(type, r);
	return of_known_length(ev, type, r->length_max, r);
}

/* What holds for both branches holds for the result, whichever it will be. */
static struct hcl_value undecided(struct hcl_evaluation *ev, const struct hcl_type *type,
	struct hcl_value condition, struct hcl_value yes, struct hcl_value no)
{
	unsigned marks = condition.marks | yes.marks | no.marks;
	bool alike = yes.type == type && no.type == type;
	struct hcl_value result;

	if (hcl_is_null(yes) && hcl_is_null(no))
		result = hcl_null(type);
	else if (!definitely_not_null(yes) || !definitely_not_null(no))
		result = hcl_unknown(type);
	else if (alike && type == hcl_number)
		result = either_number(ev, yes, no);
	else if (alike && hcl_type_is_collection(type))
		result = either_collection(ev, type, yes, no);
	else
		result = hcl_unknown_not_null(type);
	return hcl_mark(result, marks);
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
		"Inconsistent conditional result types",
		"The %s result value has the wrong type: %s.", yes ? "true" : "false",
		reason.ptr ? reason.ptr : "");
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
		return undecided(ev, type, condition, yes->value, no->value);
	if (!hcl_convert(ev->arena, condition, hcl_bool, &condition, NULL))
		return bad_condition(ev, expr, type, "Incorrect condition type",
			"The condition expression must be of type bool.");
	struct hcl_value v = condition.boolean ? take(ev, expr, yes, type, true)
					       : take(ev, expr, no, type, false);
	/* Which branch was taken must not be seen from what the other one was marked with. */
	return hcl_mark(v, condition.marks | yes->value.marks | no->value.marks);
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
