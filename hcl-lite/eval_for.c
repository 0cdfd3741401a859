/*
 * for expressions, splats, and the iteration of loops in templates.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "base/vec.h"
#include "hcl-lite/eval_internal.h"

/* One mistake in a loop's body is one mistake for each element: enough of them say it all. */
#define MAX_ERRORS_IN_LOOP 50

ZP_VEC(values, struct hcl_value);

struct loop {
	struct hcl_evaluation *ev;
	const struct hcl_expr *expr;
	struct hcl_locals key, value; /* key unused where the loop has one name */
	struct hcl_locals *outer; /* what was bound around it */
	unsigned marks;
	bool known;    /* the result is, so far */
	size_t errors; /* there were before */
};

static void bind(struct loop *loop)
{
	loop->outer = loop->value.outer = loop->ev->locals;
	if (loop->expr->loop.key_name) {
		loop->key.outer = loop->ev->locals;
		loop->key.name = loop->expr->loop.key_name;
		loop->value.outer = &loop->key;
	}
	/* Under one name, the value hides the key. */
	loop->value.name = loop->expr->loop.value_name;
	loop->ev->locals = &loop->value;
}

static void unbind(struct loop *loop)
{
	loop->ev->locals = loop->outer;
}

static bool has_errors(const struct loop *loop)
{
	return loop->ev->diags->errors > loop->errors;
}

static bool too_many_errors(const struct loop *loop)
{
	return loop->ev->diags->errors >= loop->errors + MAX_ERRORS_IN_LOOP;
}

static void complain(struct loop *loop, const struct hcl_expr *about, const char *summary,
	const char *detail, const char *reason)
{
	struct zp_diag *diag = zp_diag_error(loop->ev->diags, about->range, summary, "%s%s%s",
		detail, reason ? reason : "", reason ? "." : "");
	hcl_diag_refine(loop->ev, diag, loop->expr->range, about);
}

/* False when there is nothing to iterate over; *result is then the value of the whole. */
static bool open_collection(
	struct loop *loop, struct hcl_value *collection, struct hcl_value *result)
{
	const struct hcl_expr *from = loop->expr->loop.collection;

	*result = hcl_unknown(hcl_dynamic);
	if (hcl_is_null(*collection)) {
		complain(loop, from, "Iteration over null value",
			"A null value cannot be used as the collection in a 'for' expression.",
			NULL);
		return false;
	}
	*collection = hcl_unmark(*collection, &loop->marks);
	*result = hcl_mark(*result, loop->marks);
	if (collection->type->kind == HCL_DYNAMIC)
		return false;
	if (hcl_type_is_primitive(collection->type)) {
		zp_autobuf text = ZP_BUF_INIT;
		zp_buf_puts(&text, "A value of type ");
		hcl_type_friendly(collection->type, &text);
		zp_buf_puts(&text, " cannot be used as the collection in a 'for' expression.");
		complain(loop, from, "Iteration over non-iterable value", text.ptr, NULL);
		return false;
	}
	return hcl_is_known(*collection);
}

/* The condition once with unknown elements, so that a wrong one is reported once. */
static bool check_condition(struct loop *loop)
{
	const struct hcl_expr *condition = loop->expr->loop.condition;
	zp_autobuf reason = ZP_BUF_INIT;
	struct hcl_value v;

	if (!condition)
		return true;
	loop->key.value = loop->value.value = hcl_unknown(hcl_dynamic);
	v = hcl_evaluate(loop->ev, condition);
	if (hcl_is_null(v)) {
		complain(loop, condition, "Condition is null",
			"The value of the 'if' clause must not be null.", NULL);
		return false;
	}
	if (!hcl_convert(loop->ev->arena, v, hcl_bool, &v, &reason)) {
		complain(loop, condition, "Invalid 'for' condition",
			"The 'if' clause value is invalid: ", reason.ptr);
		return false;
	}
	return !has_errors(loop);
}

/* Whether the element is in; when that is not known, neither is the result. */
static bool included(struct loop *loop)
{
	const struct hcl_expr *condition = loop->expr->loop.condition;
	zp_autobuf reason = ZP_BUF_INIT;
	const char *problem = NULL;

	if (!condition)
		return true;
	struct hcl_value v = hcl_evaluate(loop->ev, condition);
	loop->marks |= v.marks;
	if (hcl_is_null(v))
		problem = "The value of the 'if' clause must not be null.";
	else if (!hcl_convert(loop->ev->arena, v, hcl_bool, &v, &reason))
		problem = "The 'if' clause value is invalid: ";
	if (problem && loop->known)
		complain(loop, condition, "Invalid 'for' condition", problem, reason.ptr);
	if (problem || !hcl_is_known(v)) {
		loop->known = false;
		return false;
	}
	return v.boolean;
}

static bool element_key(struct loop *loop, struct zp_str *name)
{
	const struct hcl_expr *expr = loop->expr->loop.key;
	zp_autobuf reason = ZP_BUF_INIT;
	const char *problem = NULL;
	struct hcl_value key = hcl_evaluate(loop->ev, expr);

	loop->marks |= key.marks;
	if (hcl_is_null(key))
		problem = "Key expression in 'for' expression must not produce a null value.";
	else if (hcl_is_known(key) && !hcl_convert(loop->ev->arena, key, hcl_string, &key, &reason))
		problem = "The key expression produced an invalid result: ";
	if (problem && loop->known)
		complain(loop, expr, "Invalid object key", problem, reason.ptr);
	if (problem || !hcl_is_known(key)) {
		loop->known = false;
		return false;
	}
	*name = hcl_text(key);
	return true;
}

static struct hcl_value loop_tuple(struct loop *loop, struct hcl_value collection)
{
	struct values list = { 0 };
	struct hcl_value result;

	for (struct hcl_iterator it = hcl_iterate(collection);
		hcl_iterator_next(&it) && !too_many_errors(loop);) {
		loop->key.value = it.key;
		loop->value.value = it.value;
		if (!included(loop))
			continue;
		struct hcl_value element = hcl_evaluate(loop->ev, loop->expr->loop.value);
		zp_vec_push(&list, element);
	}
	if (loop->known)
		result = hcl_tuple_value(zp_vec_to_arena(&list, loop->ev->arena), list.count);
	else
		result = hcl_unknown(hcl_dynamic);
	zp_vec_release(&list);
	return hcl_mark(result, loop->marks);
}

/* The elements of one key, where values are grouped; one otherwise. */
struct group {
	struct values list;
};

static void add_element(struct loop *loop, struct zp_map *groups, struct zp_str name)
{
	struct hcl_value element = hcl_evaluate(loop->ev, loop->expr->loop.value);
	struct group **slot = (struct group **)zp_map_slot(groups, name);

	if (*slot && !loop->expr->loop.group) {
		struct zp_diag *diag = zp_diag_error(loop->ev->diags, loop->expr->loop.key->range,
			"Duplicate object key",
			"Two different items produced the key \"%.*s\" in this 'for' expression. "
			"If "
			"duplicates are expected, use the ellipsis (...) after the value "
			"expression "
			"to enable grouping by key.",
			ZP_FMT(name));
		hcl_diag_refine(loop->ev, diag, loop->expr->range, loop->expr->loop.key);
		return;
	}
	if (!*slot)
		*slot = zp_calloc(1, sizeof(**slot));
	zp_vec_push(&(*slot)->list, element);
}

static struct hcl_value make_object(struct loop *loop, const struct zp_map *groups)
{
	size_t n = groups->count;
	struct zp_arena *arena = loop->ev->arena;
	zp_autofree const char **names = zp_reallocarray(NULL, n, sizeof(*names));
	zp_autofree struct hcl_value *values = zp_reallocarray(NULL, n, sizeof(*values));

	for (size_t i = 0; i < n; i++) {
		const struct group *group = groups->entries[i].value;
		names[i] = groups->entries[i].key.ptr;
		values[i] = loop->expr->loop.group
				    ? hcl_tuple_value(zp_vec_to_arena(&group->list, arena),
					      group->list.count)
				    : group->list.items[0];
	}
	return hcl_object_build(arena, names, values, n);
}

static struct hcl_value loop_object(struct loop *loop, struct hcl_value collection)
{
	struct zp_map groups = { 0 };

	for (struct hcl_iterator it = hcl_iterate(collection);
		hcl_iterator_next(&it) && !too_many_errors(loop);) {
		struct zp_str name;
		loop->key.value = it.key;
		loop->value.value = it.value;
		if (included(loop) && element_key(loop, &name))
			add_element(loop, &groups, name);
	}
	struct hcl_value result = loop->known && !has_errors(loop) ? make_object(loop, &groups)
								   : hcl_unknown(hcl_dynamic);
	for (size_t i = 0; i < groups.count; i++) {
		struct group *group = groups.entries[i].value;
		zp_vec_release(&group->list);
		free(group);
	}
	zp_map_release(&groups);
	return hcl_mark(result, loop->marks);
}

struct hcl_value hcl_eval_for(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	struct loop loop = { .ev = ev, .expr = expr, .known = true, .errors = ev->diags->errors };
	struct hcl_value result;
	struct hcl_value collection = hcl_evaluate(ev, expr->loop.collection);

	if (has_errors(&loop) || !open_collection(&loop, &collection, &result))
		return has_errors(&loop) ? hcl_unknown(hcl_dynamic) : result;
	bind(&loop);
	if (check_condition(&loop))
		result = expr->loop.key ? loop_object(&loop, collection)
					: loop_tuple(&loop, collection);
	unbind(&loop);
	return result;
}

static struct hcl_value splat_each(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, struct hcl_value element)
{
	struct hcl_locals item = {
		.item = expr->splat.item, .value = element, .outer = ev->locals
	};

	ev->locals = &item;
	struct hcl_value v = hcl_evaluate(ev, expr->splat.each);
	ev->locals = item.outer;
	return v;
}

/* The type of the result for a source of which only the type is known. */
static const struct hcl_type *splat_type(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, const struct hcl_type *source)
{
	if (source->kind != HCL_TUPLE)
		return hcl_list_type(splat_each(ev, expr, hcl_unknown(source->element)).type);
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, source->count, sizeof(*types));
	for (uint32_t i = 0; i < source->count; i++)
		types[i] = splat_each(ev, expr, hcl_unknown(source->elements[i])).type;
	return hcl_tuple_type(types, source->count);
}

static struct hcl_value splat_elements(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, struct hcl_value source)
{
	size_t errors = ev->diags->errors;
	struct hcl_value *elements = zp_arena_alloc(ev->arena, source.count * sizeof(*elements));
	bool same = true;

	for (uint32_t i = 0; i < source.count; i++) {
		if (ev->diags->errors >= errors + MAX_ERRORS_IN_LOOP)
			break;
		elements[i] = splat_each(ev, expr, source.elements[i]);
		same &= elements[i].type == elements[0].type;
	}
	if (ev->diags->errors > errors)
		return hcl_unknown(hcl_dynamic);
	if (source.type->kind == HCL_TUPLE || !same)
		return hcl_tuple_value(elements, source.count);
	const struct hcl_type *element =
		source.count ? elements[0].type : splat_type(ev, expr, source.type)->element;
	return hcl_list_value(element, elements, source.count);
}

/* What is no sequence is as good as a tuple of it alone, or an empty one where it is null. */
static struct hcl_value splat_single(
	struct hcl_evaluation *ev, const struct hcl_expr *expr, struct hcl_value source)
{
	bool open = hcl_is_unknown(source) && !(source.refinement && source.refinement->not_null);
	struct hcl_value *element = zp_arena_alloc(ev->arena, sizeof(*element));

	if (hcl_is_null(source))
		return hcl_mark(hcl_tuple_value(element, 0), source.marks);
	*element = source;
	struct hcl_value result = splat_elements(ev, expr, hcl_tuple_value(element, 1));
	return hcl_mark(open ? hcl_unknown(hcl_dynamic) : result, source.marks);
}

struct hcl_value hcl_eval_splat(struct hcl_evaluation *ev, const struct hcl_expr *expr)
{
	size_t errors = ev->diags->errors;
	unsigned marks;
	struct hcl_value source = hcl_evaluate(ev, expr->splat.source);

	if (ev->diags->errors > errors)
		return hcl_unknown(hcl_dynamic);
	if (hcl_is_unknown(source) && source.type->kind == HCL_DYNAMIC)
		return source;
	if (!hcl_type_is_sequence(source.type))
		return splat_single(ev, expr, source);
	if (hcl_is_null(source)) {
		struct zp_diag *diag = zp_diag_error(ev->diags, expr->splat.source->range,
			"Splat of null value", "%s",
			"Splat expressions (with the * symbol) cannot be applied to null "
			"sequences.");
		hcl_diag_refine(ev, diag,
			zp_range_join(expr->splat.source->range, expr->splat.marker),
			expr->splat.source);
		return hcl_unknown(hcl_dynamic);
	}
	source = hcl_unmark(source, &marks);
	if (hcl_is_unknown(source))
		return hcl_mark(hcl_unknown(splat_type(ev, expr, source.type)), marks);
	return hcl_mark(splat_elements(ev, expr, source), marks);
}
