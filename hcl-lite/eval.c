#include "hcl-lite/eval.h"

#include "base/alloc.h"

#include "hcl-lite/eval_internal.h"
#include "hcl-lite/json_syntax.h"

static struct hcl_value evaluate_tuple(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	size_t n = expr->tuple.count;
	struct hcl_value *elements = zp_arena_alloc(ev->arena, n * sizeof(*elements));

	for (size_t i = 0; i < n; i++)
		elements[i] = hcl_evaluate(ev, expr->tuple.items[i]);
	return hcl_tuple_value(elements, n);
}

/* Keys of an object expression: a bare word is its own name. */
static struct hcl_value evaluate_key(struct hcl_evaluation *ev, const struct hcl_expr *key)
{
	const char *word = hcl_expr_keyword(key);

	if (word)
		return hcl_string_static(word);
	if (key->kind == HCL_EXPR_TRAVERSAL) {
		zp_diag_error(ev->diags, key->range, "Ambiguous attribute key", "%s",
			"If this expression is intended to be a reference, wrap it in parentheses. "
			"If it's instead intended as a literal name containing periods, wrap it in "
			"quotes to create a string literal.");
		return hcl_unknown(hcl_dynamic);
	}
	return hcl_evaluate(ev, key);
}

/* False when the key is no name: reported, or not known yet. */
static bool key_name(struct hcl_evaluation *ev, const struct hcl_object_item *item,
	struct hcl_value key, const char **name)
{
	zp_autobuf reason = ZP_BUF_INIT;
	struct zp_diag *diag;

	if (hcl_is_null(key)) {
		diag = zp_diag_error(ev->diags, item->value->range, "Null value as key", "%s",
			"Can't use a null value as a key.");
		hcl_diag_expression(ev, diag, item->key);
		return false;
	}
	if (!hcl_convert(ev->arena, key, hcl_string, &key, &reason)) {
		diag = zp_diag_error(ev->diags, item->key->range, "Incorrect key type",
			"Can't use this value as a key: %s.", reason.ptr);
		hcl_diag_expression(ev, diag, item->key);
		return false;
	}
	*name = key.text;
	return hcl_is_known(key);
}

static struct hcl_value evaluate_object(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	size_t n = expr->object.count, count = 0;
	zp_autofree void *heap = NULL;
	struct {
		const char *names[16];
		struct hcl_value values[16];
	} few;
	const char **names = few.names;
	struct hcl_value *values = few.values;
	unsigned marks = 0;
	bool known = true;

	if (n > ZP_ARRAY_SIZE(few.names)) {
		heap = zp_reallocarray(NULL, n, sizeof(*values) + sizeof(*names));
		values = heap;
		names = (const char **)(values + n);
	}
	for (size_t i = 0; i < n; i++) {
		const struct hcl_object_item *item = &expr->object.items[i];
		size_t errors = ev->diags->errors;
		unsigned own;
		struct hcl_value key = hcl_unmark(evaluate_key(ev, item->key), &own);
		bool bad = ev->diags->errors > errors;
		values[count] = hcl_evaluate(ev, item->value);
		marks |= own;
		if (bad || !key_name(ev, item, key, &names[count]))
			known = false;
		else
			count++;
	}
	struct hcl_value object = known ? hcl_object_build(ev->arena, names, values, count)
					: hcl_unknown(hcl_dynamic);
	return hcl_mark(object, marks);
}

static struct hcl_value splat_item(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	for (const struct hcl_locals *local = ev->locals; local; local = local->outer)
		if (local->item == expr)
			return local->value;
	return hcl_unknown(hcl_dynamic);
}

static struct hcl_value too_deep(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	zp_diag_error(ev->diags, expr->range, "Expression nested too deeply",
		"Evaluation of this expression needs more than %d levels of nesting.",
		HCL_MAX_EVALUATION_DEPTH);
	return hcl_unknown(hcl_dynamic);
}

static struct hcl_value dispatch(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	switch (expr->kind) {
	case HCL_EXPR_TEMPLATE:
		return hcl_eval_template(ev, expr);
	case HCL_EXPR_TEMPLATE_WRAP:
	case HCL_EXPR_PARENS:
		return hcl_evaluate(ev, expr->wrapped);
	case HCL_EXPR_TEMPLATE_FOR:
		return hcl_eval_template_for(ev, expr);
	case HCL_EXPR_TRAVERSAL:
	case HCL_EXPR_RELATIVE:
	case HCL_EXPR_INDEX:
		return hcl_eval_traversal(ev, expr);
	case HCL_EXPR_SPLAT:
		return hcl_eval_splat(ev, expr);
	case HCL_EXPR_SPLAT_ITEM:
		return splat_item(ev, expr);
	case HCL_EXPR_CALL:
		return hcl_eval_call(ev, expr);
	case HCL_EXPR_TEMPLATE_IF:
	case HCL_EXPR_CONDITIONAL:
		return hcl_eval_conditional(ev, expr);
	case HCL_EXPR_BINARY:
		return hcl_eval_binary(ev, expr);
	case HCL_EXPR_UNARY:
		return hcl_eval_unary(ev, expr);
	case HCL_EXPR_FOR:
		return hcl_eval_for(ev, expr);
	case HCL_EXPR_TUPLE:
		return evaluate_tuple(ev, expr);
	case HCL_EXPR_OBJECT:
		return evaluate_object(ev, expr);
	case HCL_EXPR_JSON:
		return hcl_json_evaluate(ev, expr->json);
	default:
		return hcl_unknown(hcl_dynamic);
	}
}

struct hcl_value hcl_evaluate(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	if (expr->kind == HCL_EXPR_LITERAL)
		return expr->literal;
	if (ev->depth >= HCL_MAX_EVALUATION_DEPTH)
		return too_deep(ev, expr);
	ev->depth++;
	struct hcl_value v = dispatch(ev, expr);
	ev->depth--;
	return v;
}

struct hcl_value hcl_evaluate_as(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, const struct hcl_type *type)
{
	zp_autobuf reason = ZP_BUF_INIT, path = ZP_BUF_INIT;
	size_t errors = ev->diags->errors;
	struct hcl_value v = hcl_evaluate(ev, expr), converted;

	if (ev->diags->errors > errors)
		return hcl_unknown(type);
	if (hcl_convert_at(ev->arena, v, type, &converted, &reason, &path))
		return converted;
	struct zp_diag *diag = zp_diag_error(ev->diags, expr->range, "Incorrect value type",
		"Invalid expression value: %s%s%s.", path.len ? path.ptr : "", path.len ? ": " : "",
		reason.ptr ? reason.ptr : "");
	hcl_diag_expression(ev, diag, expr);
	return hcl_unknown(type);
}

const char *hcl_expr_keyword(const struct hcl_expr *expr)
{
	if (expr->kind != HCL_EXPR_TRAVERSAL || expr->traversal.count != 0)
		return NULL;
	return expr->traversal.root;
}

/* The first bracket of what is in brackets. */
static struct zp_range first_byte(struct zp_range range)
{
	range.end = range.start < range.end ? range.start + 1 : range.end;
	return range;
}

/* Quoted text begins behind its quote; the peer has an empty one behind both. */
static struct zp_range literal_start(const struct hcl_expr *expr)
{
	struct zp_range range = expr->range;
	struct zp_str text = zp_range_text(range);

	if (text.len == 2 && text.ptr[0] == '"') {
		range.start = range.end;
	} else if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
		range.start++;
		range.end--;
	}
	return range;
}

struct zp_range hcl_start_range(const struct hcl_expr *expr)
{
	for (;;) {
		switch (expr->kind) {
		case HCL_EXPR_LITERAL:
			return literal_start(expr);
		case HCL_EXPR_TEMPLATE:
			if (!expr->template.count)
				return expr->range;
			expr = expr->template.parts[0];
			break;
		case HCL_EXPR_PARENS:
			expr = expr->wrapped;
			break;
		case HCL_EXPR_RELATIVE:
			expr = expr->relative.source;
			break;
		case HCL_EXPR_INDEX:
			expr = expr->index.collection;
			break;
		case HCL_EXPR_SPLAT:
			expr = expr->splat.source;
			break;
		case HCL_EXPR_CONDITIONAL:
			expr = expr->conditional.condition;
			break;
		case HCL_EXPR_BINARY:
			expr = expr->binary.left;
			break;
		case HCL_EXPR_UNARY:
			return expr->unary.op_range;
		case HCL_EXPR_CALL: {
			struct zp_range range = hcl_call_name_range(expr);
			range.end += range.end < expr->range.end;
			return range;
		}
		case HCL_EXPR_FOR:
		case HCL_EXPR_TUPLE:
		case HCL_EXPR_OBJECT:
			return first_byte(expr->range);
		default:
			return expr->range;
		}
	}
}
