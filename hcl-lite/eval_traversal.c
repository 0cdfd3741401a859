/*
 * References: names and the steps that follow them.
 *
 * a[count.index].id is seen as the name a and two steps, the first of them evaluated, before
 * anybody is asked what a means; so whoever resolves it can take one element without making them
 * all.
 */
#include "base/alloc.h"
#include "hcl-lite/eval_internal.h"
#include "hcl-lite/number.h"

/* What a step is applied for: the expression shown with errors. */
struct place {
	struct hcl_evaluation *ev;
	const struct hcl_expr *expr;
	struct zp_range range;
};

static struct hcl_value refuse(const struct place *at, const char *summary, const char *fmt, ...)
	ZP_PRINTF(3, 4);

static struct hcl_value refuse(const struct place *at, const char *summary, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	zp_autofree char *detail = zp_vformat(fmt, ap);
	va_end(ap);
	struct zp_diag *diag = zp_diag_error(at->ev->diags, at->range, summary, "%s", detail);
	if (at->expr)
		hcl_diag_expression(at->ev, diag, at->expr);
	return hcl_unknown(hcl_dynamic);
}

static struct hcl_value no_attributes(
	const struct place *at, const struct hcl_type *type, const char *name)
{
	static const char summary[] = "Unsupported attribute";
	bool objects = hcl_type_is_collection(type) && type->element->kind == HCL_OBJECT;

	if (type->kind == HCL_LIST && objects) {
		if (hcl_type_attribute(type->element, name, strlen(name)) >= 0)
			return refuse(at, summary,
				"Can't access attributes on a list of objects. Did you mean to "
				"access "
				"attribute \"%s\" for a specific element of the list, or across "
				"all "
				"elements of the list?",
				name);
		return refuse(at, summary,
			"Can't access attributes on a list of objects. Did you mean to access an "
			"attribute for a specific element of the list, or across all elements of "
			"the list?");
	}
	if (type->kind == HCL_SET && objects)
		return refuse(at, summary,
			"Can't access attributes on a set of objects. Did you mean to access an "
			"attribute across all elements of the set?");
	if (hcl_type_is_primitive(type)) {
		zp_autobuf friendly = ZP_BUF_INIT;
		hcl_type_friendly(type, &friendly);
		return refuse(at, summary,
			"Can't access attributes on a primitive-typed value (%s).", friendly.ptr);
	}
	return refuse(at, summary, "This value does not have any attributes.");
}

static struct hcl_value get_attribute(const struct place *at, struct hcl_value v, const char *name)
{
	const struct hcl_type *type = v.type;
	struct hcl_value result;

	if (hcl_is_null(v))
		return refuse(at, "Attempt to get attribute from null value",
			"This value is null, so it does not have any attributes.");
	if (type->kind == HCL_DYNAMIC)
		return hcl_mark(hcl_unknown(hcl_dynamic), v.marks);
	if (type->kind == HCL_OBJECT) {
		int i = hcl_type_attribute(type, name, strlen(name));
		if (i < 0)
			return refuse(at, "Unsupported attribute",
				"This object does not have an attribute named \"%s\".", name);
		result = hcl_is_known(v) ? v.elements[i] : hcl_unknown(type->attributes[i].type);
		return hcl_mark(result, v.marks);
	}
	if (type->kind == HCL_MAP) {
		if (!hcl_is_known(v))
			return hcl_mark(hcl_unknown(type->element), v.marks);
		if (!hcl_map_lookup(v, zp_str(name), &result))
			return refuse(at, "Missing map element",
				"This map does not have an element with the key \"%s\".", name);
		return hcl_mark(result, v.marks);
	}
	return no_attributes(at, type, name);
}

static const char invalid_index[] = "Invalid index";
#define NO_ELEMENT "The given key does not identify an element in this collection value"

static struct hcl_value bad_position(
	const struct place *at, struct hcl_value v, struct hcl_value key)
{
	if (!hcl_number_is_whole(key))
		return refuse(at, invalid_index,
			NO_ELEMENT ": indexing a sequence requires a whole number, but the given "
				   "index has a fractional part.");
	if (hcl_number_sign(key) < 0)
		return refuse(at, invalid_index,
			NO_ELEMENT ": a negative number is not a valid index for a sequence.");
	/* The peer says more only of the position right behind the last element. */
	if (!v.marks && hcl_number_compare(key, hcl_int_value(v.count)) <= 0) {
		if (v.count == 0)
			return refuse(
				at, invalid_index, NO_ELEMENT ": the collection has no elements.");
		return refuse(at, invalid_index,
			NO_ELEMENT
			": the given index is greater than or equal to the length of the "
			"collection.");
	}
	return refuse(at, invalid_index, NO_ELEMENT ".");
}

static struct hcl_value index_sequence(
	const struct place *at, struct hcl_value v, struct hcl_value key)
{
	const struct hcl_type *type = v.type;
	int64_t i;

	if (!hcl_is_known(key))
		return hcl_unknown(type->kind == HCL_TUPLE ? hcl_dynamic : type->element);
	bool whole = hcl_number_to_int(key, &i);
	if (hcl_is_known(v)) {
		if (whole && i >= 0 && i < v.count)
			return v.elements[i];
		return bad_position(at, v, key);
	}
	if (type->kind != HCL_TUPLE)
		return hcl_unknown(type->element);
	if (whole && i >= 0 && i < type->count)
		return hcl_unknown(type->elements[i]);
	v.count = type->count;
	return bad_position(at, v, key);
}

static struct hcl_value index_map(const struct place *at, struct hcl_value v, struct hcl_value key)
{
	struct hcl_value result;

	if (!hcl_is_known(v) || !hcl_is_known(key))
		return hcl_unknown(v.type->element);
	if (!hcl_map_lookup(v, hcl_text(key), &result))
		return refuse(at, invalid_index, NO_ELEMENT ".");
	return result;
}

static struct hcl_value index_object(
	const struct place *at, struct hcl_value v, struct hcl_value key, bool was_number)
{
	if (!hcl_is_known(v) || !hcl_is_known(key))
		return hcl_unknown(hcl_dynamic);
	int i = hcl_type_attribute(v.type, key.text, key.count);
	if (i < 0)
		return refuse(at, invalid_index, NO_ELEMENT ".%s",
			was_number
				? " An object only supports looking up attributes by name, not by "
				  "numeric index."
				: "");
	return v.elements[i];
}

static struct hcl_value index_by_kind(
	const struct place *at, struct hcl_value v, struct hcl_value key)
{
	enum hcl_kind kind = v.type->kind;
	zp_autobuf reason = ZP_BUF_INIT;
	bool was_number = key.type == hcl_number;

	if (kind == HCL_SET)
		return refuse(at, invalid_index,
			"Elements of a set are identified only by their value and don't have any "
			"separate index or key to select with, so it's only possible to perform "
			"operations across all elements of the set.");
	if (hcl_type_is_primitive(v.type))
		return refuse(at, invalid_index, "This value does not have any indices.");
	bool sequence = kind == HCL_LIST || kind == HCL_TUPLE;
	if (!hcl_convert(at->ev->arena, key, sequence ? hcl_number : hcl_string, &key, &reason))
		return refuse(at, invalid_index, NO_ELEMENT ": %s.", reason.ptr);
	if (sequence)
		return index_sequence(at, v, key);
	if (kind == HCL_MAP)
		return index_map(at, v, key);
	return index_object(at, v, key, was_number);
}

static struct hcl_value get_index(const struct place *at, struct hcl_value v, struct hcl_value key)
{
	if (hcl_is_null(v))
		return refuse(at, "Attempt to index null value",
			"This value is null, so it does not have any indices.");
	if (hcl_is_null(key))
		return refuse(at, invalid_index, "Can't use a null value as an indexing key.");
	unsigned marks = v.marks;
	/* A name does not make what it names secret; a position or map key does. */
	if (v.type->kind != HCL_OBJECT)
		marks |= key.marks;
	if (key.type->kind == HCL_DYNAMIC || v.type->kind == HCL_DYNAMIC)
		return hcl_mark(hcl_unknown(hcl_dynamic), marks);
	return hcl_mark(index_by_kind(at, v, hcl_unmark(key, NULL)), marks);
}

static struct hcl_value apply_steps(struct hcl_evaluation *ev, struct hcl_value v,
	const struct hcl_traverse *steps, size_t count, const struct hcl_expr *expr)
{
	size_t errors = ev->diags->errors;

	for (size_t i = 0; i < count && ev->diags->errors == errors; i++) {
		struct place at = { ev, expr, steps[i].range };
		v = steps[i].name ? get_attribute(&at, v, steps[i].name)
				  : get_index(&at, v, steps[i].key);
	}
	return v;
}

struct hcl_value hcl_apply_steps(struct hcl_evaluation *ev, struct hcl_value v,
	const struct hcl_traverse *steps, size_t count)
{
	return apply_steps(ev, v, steps, count, NULL);
}

static const struct hcl_locals *find_local(const struct hcl_evaluation *ev, const char *name)
{
	for (const struct hcl_locals *local = ev->locals; local; local = local->outer)
		if (local->name == name)
			return local;
	return NULL;
}

static struct hcl_value resolve(
	struct hcl_evaluation *ev, const struct hcl_reference *ref, const struct hcl_expr *expr)
{
	const struct hcl_locals *local = find_local(ev, ref->root);
	struct hcl_value v = hcl_unknown(hcl_dynamic);
	size_t consumed = 0;

	if (local) {
		v = local->value;
	} else if (!ev->scope) {
		zp_diag_error(ev->diags, ref->root_range, "Variables not allowed", "%s",
			"Variables may not be used here.");
		return v;
	} else if (!ev->scope->resolve(ev->scope, ev, ref, &v, &consumed)) {
		return hcl_unknown(hcl_dynamic);
	}
	if (consumed >= ref->count)
		return v;
	return apply_steps(ev, v, ref->steps + consumed, ref->count - consumed, expr);
}

/* How many steps a chain of accesses has, and what it starts from. */
static const struct hcl_expr *chain_start(const struct hcl_expr *expr, size_t *count)
{
	*count = 0;
	for (;;) {
		switch (expr->kind) {
		case HCL_EXPR_TRAVERSAL:
			*count += expr->traversal.count;
			return expr;
		case HCL_EXPR_RELATIVE:
			*count += expr->relative.count;
			expr = expr->relative.source;
			break;
		case HCL_EXPR_INDEX:
			*count += 1;
			expr = expr->index.collection;
			break;
		case HCL_EXPR_PARENS:
			expr = expr->wrapped;
			break;
		default:
			return expr;
		}
	}
}

/* Fills steps from their end. Keys are evaluated in source order, so the innermost first. */
static void collect_steps(struct hcl_evaluation *ev, const struct hcl_expr *expr,
	struct hcl_traverse *steps, size_t count)
{
	const struct hcl_expr *inner = NULL;
	const struct hcl_traverse *own = NULL;
	size_t n = 1;

	switch (expr->kind) {
	case HCL_EXPR_TRAVERSAL:
		own = expr->traversal.steps;
		n = expr->traversal.count;
		break;
	case HCL_EXPR_RELATIVE:
		own = expr->relative.steps;
		n = expr->relative.count;
		inner = expr->relative.source;
		break;
	case HCL_EXPR_INDEX:
		inner = expr->index.collection;
		break;
	case HCL_EXPR_PARENS:
		collect_steps(ev, expr->wrapped, steps, count);
		return;
	default:
		return;
	}
	if (inner)
		collect_steps(ev, inner, steps, count - n);
	if (expr->kind == HCL_EXPR_INDEX)
		steps[count - 1] = (struct hcl_traverse){ NULL, hcl_evaluate(ev, expr->index.key),
			expr->index.brackets };
	else if (n)
		memcpy(steps + count - n, own, n * sizeof(*steps));
}

/* Steps from something that is no name. */
static struct hcl_value evaluate_relative(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	size_t errors = ev->diags->errors;

	if (expr->kind == HCL_EXPR_RELATIVE) {
		struct hcl_value v = hcl_evaluate(ev, expr->relative.source);
		if (ev->diags->errors > errors)
			return hcl_unknown(hcl_dynamic);
		return apply_steps(ev, v, expr->relative.steps, expr->relative.count, expr);
	}
	struct hcl_value v = hcl_evaluate(ev, expr->index.collection);
	struct hcl_value key = hcl_evaluate(ev, expr->index.key);
	if (ev->diags->errors > errors)
		return hcl_unknown(hcl_dynamic);
	struct hcl_traverse step = { NULL, key, expr->index.brackets };
	return apply_steps(ev, v, &step, 1, expr);
}

struct hcl_value hcl_eval_traversal(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct hcl_traverse few[8];
	zp_autofree struct hcl_traverse *many = NULL;
	size_t count, errors = ev->diags->errors;
	const struct hcl_expr *start = chain_start(expr, &count);

	if (start->kind != HCL_EXPR_TRAVERSAL)
		return evaluate_relative(ev, expr);
	struct hcl_reference ref = { start->traversal.root, hcl_root_range(start),
		start->traversal.steps, count, expr->range };
	if (start != expr) {
		struct hcl_traverse *steps = few;
		if (count > ZP_ARRAY_SIZE(few))
			steps = many = zp_reallocarray(NULL, count, sizeof(*many));
		collect_steps(ev, expr, steps, count);
		if (ev->diags->errors > errors)
			return hcl_unknown(hcl_dynamic);
		ref.steps = steps;
	}
	return resolve(ev, &ref, expr);
}
