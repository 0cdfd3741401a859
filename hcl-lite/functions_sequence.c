/*
 * Lists and tuples: putting together, cutting, ordering.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/function.h"

ZP_VEC(values, struct hcl_value);

static const struct hcl_type *tuple_of(const struct hcl_value *elements, size_t n)
{
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));

	for (size_t i = 0; i < n; i++)
		types[i] = elements[i].type;
	return hcl_tuple_type(types, n);
}

static bool all_lists(const struct hcl_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		if (call->args[i].type->kind != HCL_LIST)
			return false;
	return true;
}

/* A list where all are lists of one kind of element, else a tuple. */
static bool concat_type(struct hcl_call *call, const struct hcl_type **type)
{
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, call->count, sizeof(*types));
	struct values elements = { 0 };
	bool open = false;

	if (call->count == 0)
		return hcl_call_fail(call, "at least one argument is required");
	for (size_t i = 0; i < call->count; i++)
		types[i] = call->args[i].type;
	if (all_lists(call) && (*type = hcl_unify_safe(types, call->count)))
		return true;
	for (size_t i = 0; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		if (v.type->kind != HCL_LIST && v.type->kind != HCL_TUPLE) {
			zp_autobuf friendly = ZP_BUF_INIT;
			zp_vec_release(&elements);
			hcl_type_friendly(v.type, &friendly);
			return hcl_call_fail_argument(call, (int)i,
				"all arguments must be lists or tuples; got %s", friendly.ptr);
		}
		open = v.type->kind == HCL_LIST && !hcl_is_known(v);
		if (open)
			break;
		uint32_t n = v.type->kind == HCL_TUPLE ? v.type->count : v.count;
		for (uint32_t j = 0; j < n; j++)
			zp_vec_push(
				&elements, hcl_null(v.type->kind == HCL_TUPLE ? v.type->elements[j]
									      : v.type->element));
	}
	*type = open ? hcl_dynamic : tuple_of(elements.items, elements.count);
	zp_vec_release(&elements);
	return true;
}

static bool concat(struct hcl_call *call, struct hcl_value *out)
{
	struct values list = { 0 };
	const struct hcl_type *type;
	unsigned marks = 0;
	bool done = true;

	if (!concat_type(call, &type))
		return false;
	for (size_t i = 0; done && i < call->count; i++) {
		zp_autobuf reason = ZP_BUF_INIT;
		struct hcl_value v = call->args[i];
		marks |= v.marks;
		if (type->kind == HCL_LIST && !hcl_convert(call->arena, v, type, &v, &reason))
			done = hcl_call_fail_argument(call, (int)i, "%s", reason.ptr);
		for (uint32_t j = 0; done && j < v.count; j++)
			zp_vec_push(&list, v.elements[j]);
	}
	struct hcl_value *elements = zp_vec_to_arena(&list, call->arena);
	*out = type->kind == HCL_LIST ? hcl_list_value(type->element, elements, list.count)
				      : hcl_tuple_value(elements, list.count);
	*out = hcl_mark(*out, marks);
	zp_vec_release(&list);
	return done;
}

/* False when what it will be is open: a part of unknown length or type. */
static bool flatten_into(struct hcl_value v, struct values *list, unsigned *marks)
{
	bool known = hcl_is_length_known(v);

	*marks |= v.marks;
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		struct hcl_value element = it.value;
		if (hcl_is_unknown(element) && element.type->kind == HCL_DYNAMIC)
			known = false;
		if (hcl_is_null(element) || !hcl_type_is_sequence(element.type)) {
			zp_vec_push(list, element);
		} else if (hcl_is_unknown(element)) {
			*marks |= element.marks;
			known = false;
		} else {
			known &= flatten_into(element, list, marks);
		}
	}
	return known;
}

/* While a part is unknown, the peer lets objects and maps pass, too. */
static bool flatten_type(struct hcl_call *call, const struct hcl_type **type)
{
	struct hcl_value v = call->args[0];
	bool open = !hcl_is_wholly_known(v) && !hcl_type_is_primitive(v.type);

	*type = hcl_dynamic;
	return open || !hcl_is_known(v) || hcl_type_is_sequence(v.type) ||
	       hcl_call_fail(call, "can only flatten lists, sets and tuples");
}

static bool flatten(struct hcl_call *call, struct hcl_value *out)
{
	struct values list = { 0 };
	const struct hcl_type *type;
	unsigned marks = 0;

	if (!flatten_type(call, &type))
		return false;
	if (flatten_into(call->args[0], &list, &marks))
		*out = hcl_tuple_value(zp_vec_to_arena(&list, call->arena), list.count);
	else
		*out = hcl_unknown(hcl_dynamic);
	*out = hcl_mark(*out, marks);
	zp_vec_release(&list);
	return true;
}

static bool same_type(struct hcl_call *call, const struct hcl_type **type)
{
	*type = call->args[0].type;
	return true;
}

/* Indices of the elements seen, by their hash; open addressing. */
static bool add_to_seen(uint32_t *slots, size_t slot_count, const struct hcl_value *kept,
	uint32_t n, struct hcl_value v)
{
	bool equal;

	for (size_t at = hcl_value_hash(v) & (slot_count - 1);; at = (at + 1) & (slot_count - 1)) {
		if (slots[at] == 0) {
			slots[at] = n + 1;
			return true;
		}
		hcl_value_equality(kept[slots[at] - 1], v, &equal);
		if (equal)
			return false;
	}
}

static bool distinct(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	size_t slot_count = 16;
	uint32_t n = 0;

	if (!hcl_is_wholly_known(list)) {
		*out = hcl_unknown_not_null(list.type);
		return true;
	}
	while (slot_count < (size_t)list.count * 2)
		slot_count *= 2;
	zp_autofree uint32_t *slots = zp_calloc(slot_count, sizeof(*slots));
	struct hcl_value *kept = zp_arena_alloc(call->arena, list.count * sizeof(*kept));
	for (uint32_t i = 0; i < list.count; i++)
		if (add_to_seen(slots, slot_count, kept, n, list.elements[i]))
			kept[n++] = list.elements[i];
	*out = hcl_list_value(list.type->element, kept, n);
	return true;
}

static bool chunklist_type(struct hcl_call *call, const struct hcl_type **type)
{
	*type = hcl_list_type(call->args[0].type);
	return true;
}

static bool chunklist(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	const struct hcl_type *element = list.type->element;
	int64_t size;

	if (!hcl_call_int(call, call->args[1], INT64_MIN, INT64_MAX, "invalid size: ", &size))
		return false;
	if (size < 0)
		return hcl_call_fail(call, "the size argument must be positive");
	if (size == 0 || size > list.count)
		size = list.count;
	size_t n = list.count ? (list.count + (size_t)size - 1) / (size_t)size : 0;
	struct hcl_value *chunks = zp_arena_alloc(call->arena, n * sizeof(*chunks));
	for (size_t i = 0; i < n; i++) {
		size_t start = i * (size_t)size;
		size_t len = list.count - start < (size_t)size ? list.count - start : (size_t)size;
		chunks[i] = hcl_list_value(element, (struct hcl_value *)list.elements + start, len);
	}
	*out = hcl_mark(hcl_list_value(list.type, chunks, n), list.marks | call->args[1].marks);
	return true;
}

static bool compact(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	struct hcl_value *kept = zp_arena_alloc(call->arena, list.count * sizeof(*kept));
	uint32_t n = 0;

	if (!hcl_is_wholly_known(list)) {
		*out = hcl_unknown_not_null(list.type);
		return true;
	}
	for (uint32_t i = 0; i < list.count; i++)
		if (!hcl_is_null(list.elements[i]) && list.elements[i].count)
			kept[n++] = list.elements[i];
	*out = hcl_list_value(hcl_string, kept, n);
	return true;
}

static bool element_index(struct hcl_call *call, uint32_t count, uint32_t *at)
{
	int64_t i;

	if (!hcl_call_int(call, call->args[1], INT64_MIN, INT64_MAX, "invalid index: ", &i))
		return false;
	if (count == 0)
		return hcl_call_fail(call, "cannot use element function with an empty list");
	if (i < 0)
		return hcl_call_fail(call, "cannot use element function with a negative index");
	*at = (uint32_t)(i % count);
	return true;
}

static bool element_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *of = call->args[0].type;
	zp_autobuf friendly = ZP_BUF_INIT;
	uint32_t at;

	*type = hcl_dynamic;
	if (of->kind == HCL_LIST) {
		*type = of->element;
		return true;
	}
	if (of->kind != HCL_TUPLE) {
		hcl_type_friendly(of, &friendly);
		return hcl_call_fail(call, "cannot read elements from %s", friendly.ptr);
	}
	if (!hcl_is_known(call->args[1]))
		return true;
	if (!element_index(call, of->count, &at))
		return false;
	*type = of->elements[at];
	return true;
}

static bool element(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	const struct hcl_type *type;
	uint32_t at;

	if (!element_type(call, &type) || !element_index(call, list.count, &at))
		return false;
	*out = hcl_mark(list.elements[at], list.marks);
	return true;
}

static bool reverse_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *of = call->args[0].type;
	zp_autobuf friendly = ZP_BUF_INIT;

	if (of->kind == HCL_LIST || of->kind == HCL_SET) {
		*type = hcl_list_type(of->element);
		return true;
	}
	if (of->kind != HCL_TUPLE) {
		hcl_type_friendly(of, &friendly);
		return hcl_call_fail_argument(
			call, 0, "can only reverse list or tuple values, not %s", friendly.ptr);
	}
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, of->count, sizeof(*types));
	for (uint32_t i = 0; i < of->count; i++)
		types[i] = of->elements[of->count - 1 - i];
	*type = hcl_tuple_type(types, of->count);
	return true;
}

static bool reverse(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	const struct hcl_type *type;

	if (!reverse_type(call, &type))
		return false;
	struct hcl_value *elements = zp_arena_alloc(call->arena, list.count * sizeof(*elements));
	for (uint32_t i = 0; i < list.count; i++)
		elements[i] = list.elements[list.count - 1 - i];
	*out = type->kind == HCL_TUPLE ? hcl_tuple_value(elements, list.count)
				       : hcl_list_value(type->element, elements, list.count);
	*out = hcl_mark(*out, list.marks);
	return true;
}

static bool slice_index(struct hcl_call *call, int argument, const char *which, int64_t *at)
{
	struct hcl_value v = call->args[argument], list = call->args[0];
	bool tuple = list.type->kind == HCL_TUPLE;
	int64_t length = tuple ? list.type->count : list.count;

	if (!hcl_number_to_int(v, at))
		return hcl_call_fail_argument(call, argument,
			"invalid %s index: value must be a whole number, between "
			"-9223372036854775808 and 9223372036854775807",
			which);
	if (*at < 0)
		return hcl_call_fail_argument(
			call, argument, "%s index must not be less than zero", which);
	if ((tuple || hcl_is_known(list)) && *at > length)
		return hcl_call_fail_argument(call, argument,
			"%s index must not be greater than the length of the list", which);
	return true;
}

/* *known is false when one of the limits is open. */
static bool slice_limits(struct hcl_call *call, int64_t *start, int64_t *end, bool *known)
{
	bool start_known = hcl_is_known(call->args[1]), end_known = hcl_is_known(call->args[2]);

	*known = start_known && end_known;
	if (call->args[0].type->kind == HCL_SET)
		return hcl_call_fail_argument(call, 0,
			"cannot slice a set, because its elements do not have indices; explicitly "
			"convert to a list if the ordering of the result is not important");
	if (call->args[0].type->kind != HCL_LIST && call->args[0].type->kind != HCL_TUPLE)
		return hcl_call_fail_argument(call, 0, "must be a list or tuple value");
	if ((start_known && !slice_index(call, 1, "start", start)) ||
		(end_known && !slice_index(call, 2, "end", end)))
		return false;
	if (*known && *start > *end)
		return hcl_call_fail_argument(
			call, 1, "start index must not be greater than end index");
	return true;
}

static bool slice_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *of = call->args[0].type;
	int64_t start, end;
	bool known;

	if (!slice_limits(call, &start, &end, &known))
		return false;
	if (of->kind == HCL_LIST)
		*type = of;
	else if (known)
		*type = hcl_tuple_type(of->elements + start, (size_t)(end - start));
	else
		*type = hcl_dynamic;
	return true;
}

static bool slice(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	int64_t start, end;
	bool known;

	if (!slice_limits(call, &start, &end, &known))
		return false;
	struct hcl_value *elements = (struct hcl_value *)list.elements + start;
	*out = list.type->kind == HCL_TUPLE
		       ? hcl_tuple_value(elements, (size_t)(end - start))
		       : hcl_list_value(list.type->element, elements, (size_t)(end - start));
	*out = hcl_mark(*out, list.marks);
	return true;
}

static int by_text(const void *a, const void *b)
{
	return zp_str_compare(
		hcl_text(*(const struct hcl_value *)a), hcl_text(*(const struct hcl_value *)b));
}

static bool sort(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	struct hcl_value *elements = zp_arena_alloc(call->arena, list.count * sizeof(*elements));

	/* How many there are is known all the same. */
	if (!hcl_is_wholly_known(list)) {
		for (uint32_t i = 0; i < list.count; i++)
			elements[i] = hcl_unknown(hcl_string);
		*out = hcl_list_value(hcl_string, elements, list.count);
		return true;
	}
	for (uint32_t i = 0; i < list.count; i++) {
		if (hcl_is_null(list.elements[i]))
			return hcl_call_fail(call,
				"given list element %u is null; a null string cannot be sorted", i);
		elements[i] = list.elements[i];
	}
	qsort(elements, list.count, sizeof(*elements), by_text);
	*out = hcl_list_value(hcl_string, elements, list.count);
	return true;
}

#define LIST                                                                                       \
	{                                                                                          \
		"list", HCL_T_ANY, HCL_MARKED_OK                                                   \
	}

static const struct hcl_function functions[] = {
	{ .name = "concat",
		.rest = { "seqs", HCL_T_ANY, HCL_MARKED_OK },
		.type = concat_type,
		.call = concat },
	{ .name = "flatten", .params = { LIST }, .type = flatten_type, .call = flatten },
	{ .name = "distinct",
		.params = { { "list", HCL_T_LIST, 0 } },
		.type = same_type,
		.call = distinct },
	{ .name = "chunklist",
		.params = { { "list", HCL_T_LIST, HCL_MARKED_OK },
			{ "size", HCL_T_NUMBER, HCL_MARKED_OK } },
		.type = chunklist_type,
		.call = chunklist },
	{ .name = "compact",
		.params = { { "list", HCL_T_LIST_STRING, 0 } },
		.returns = HCL_T_LIST_STRING,
		.call = compact },
	{ .name = "element",
		.params = { LIST, { "index", HCL_T_NUMBER, 0 } },
		.type = element_type,
		.call = element,
		.maybe_null = true },
	{ .name = "reverse", .params = { LIST }, .type = reverse_type, .call = reverse },
	{ .name = "slice",
		.params = { LIST, { "start_index", HCL_T_NUMBER, 0 },
			{ "end_index", HCL_T_NUMBER, 0 } },
		.type = slice_type,
		.call = slice },
	{ .name = "sort",
		.params = { { "list", HCL_T_LIST_STRING, 0 } },
		.returns = HCL_T_LIST_STRING,
		.call = sort },
};

const struct hcl_function_list hcl_sequence_functions = { functions, ZP_ARRAY_SIZE(functions) };
