#include "base/alloc.h"
#include "hcl-lite/function.h"

/* The element type all sets have in common; empty ones of no type do not count. */
static bool common_set_type(struct hcl_call *call, const struct hcl_type **type)
{
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, call->count, sizeof(*types));
	size_t n = 0;

	for (size_t i = 0; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		bool empty = hcl_is_known(v) && v.count == 0;
		if (!(empty && v.type->element->kind == HCL_DYNAMIC))
			types[n++] = v.type->element;
	}
	const struct hcl_type *element = n ? hcl_unify(types, n) : hcl_dynamic;
	if (!element)
		return hcl_call_fail(call, "given sets must all have compatible element types");
	*type = hcl_set_type(element);
	return true;
}

static bool convert_sets(struct hcl_call *call, const struct hcl_type **type, bool *known)
{
	*known = true;
	if (!common_set_type(call, type))
		return false;
	for (size_t i = 0; i < call->count; i++) {
		zp_autobuf reason = ZP_BUF_INIT;
		if (!hcl_convert(call->arena, call->args[i], *type, &call->args[i], &reason))
			return hcl_call_fail_argument(call, (int)i, "%s", reason.ptr);
		*known &= hcl_is_wholly_known(call->args[i]);
	}
	return true;
}

static bool is_member(struct hcl_value set, struct hcl_value v)
{
	uint32_t low = 0, high = set.count;
	bool equal;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (hcl_value_set_order(set.elements[middle], v) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < set.count && hcl_value_set_order(set.elements[low], v) == 0; low++) {
		hcl_value_equality(set.elements[low], v, &equal);
		if (equal)
			return true;
	}
	return false;
}

/* Unknown elements do no harm here: they stay. */
static bool setunion(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_type *type;
	uint64_t room = 0;
	size_t n = 0;
	bool known;

	if (!convert_sets(call, &type, &known))
		return false;
	for (size_t i = 0; i < call->count; i++)
		room += call->args[i].count;
	if (!hcl_call_check_count(call, room))
		return false;
	struct hcl_value *elements = zp_arena_alloc(call->arena, room * sizeof(*elements));
	for (size_t i = 0; i < call->count; i++)
		for (uint32_t j = 0; j < call->args[i].count; j++)
			elements[n++] = call->args[i].elements[j];
	*out = hcl_set_value(type->element, elements, n);
	return true;
}

/* The elements of the first set that are, or are not, in all the others. */
static bool filter(struct hcl_call *call, bool members, struct hcl_value *out)
{
	const struct hcl_type *type;
	uint32_t n = 0;
	bool known;

	if (!convert_sets(call, &type, &known))
		return false;
	if (!known) {
		*out = hcl_unknown_not_null(type);
		return true;
	}
	struct hcl_value set = call->args[0];
	struct hcl_value *elements = zp_arena_alloc(call->arena, set.count * sizeof(*elements));
	for (uint32_t i = 0; i < set.count; i++) {
		bool keep = true;
		for (size_t j = 1; j < call->count; j++)
			keep &= is_member(call->args[j], set.elements[i]) == members;
		if (keep)
			elements[n++] = set.elements[i];
	}
	*out = hcl_set_value(type->element, elements, n);
	return true;
}

static bool setintersection(struct hcl_call *call, struct hcl_value *out)
{
	return filter(call, true, out);
}

static bool setsubtract(struct hcl_call *call, struct hcl_value *out)
{
	return filter(call, false, out);
}

static bool factor_type(struct hcl_call *call, size_t i, const struct hcl_type **element)
{
	const struct hcl_type *of = call->args[i].type;

	if (of->kind == HCL_SET || of->kind == HCL_LIST)
		*element = of->element;
	else if (of->kind == HCL_TUPLE)
		*element = of->count ? hcl_unify(of->elements, of->count) : hcl_dynamic;
	else
		return hcl_call_fail_argument(call, (int)i, "a set or a list is required");
	return *element ||
	       hcl_call_fail_argument(call, (int)i, "all elements must be of the same type");
}

/* A list of tuples, or a set where one of the factors is one. */
static bool setproduct_type(struct hcl_call *call, const struct hcl_type **type)
{
	zp_autofree const struct hcl_type **elements =
		zp_reallocarray(NULL, call->count, sizeof(*elements));
	bool set = false;

	if (call->count < 2)
		return hcl_call_fail(call, "at least two arguments are required");
	for (size_t i = 0; i < call->count; i++) {
		if (!factor_type(call, i, &elements[i]))
			return false;
		set |= call->args[i].type->kind == HCL_SET;
	}
	const struct hcl_type *tuple = hcl_tuple_type(elements, call->count);
	*type = set ? hcl_set_type(tuple) : hcl_list_type(tuple);
	return true;
}

static bool convert_factors(struct hcl_call *call, const struct hcl_type *tuple)
{
	for (size_t i = 0; i < call->count; i++) {
		zp_autobuf reason = ZP_BUF_INIT;
		struct hcl_value *v = &call->args[i];
		struct hcl_value *elements =
			zp_arena_alloc(call->arena, v->count * sizeof(*elements));
		for (uint32_t j = 0; j < v->count; j++)
			if (!hcl_convert(call->arena, v->elements[j], tuple->elements[i],
				    &elements[j], &reason))
				return hcl_call_fail_argument(call, (int)i, "%s", reason.ptr);
		v->elements = elements;
	}
	return true;
}

static bool setproduct(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_type *type;
	uint64_t total = 1;
	unsigned marks = 0;
	bool known = true;

	if (!setproduct_type(call, &type))
		return false;
	for (size_t i = 0; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		marks |= v.marks;
		known &= hcl_is_length_known(v);
		total *= v.count;
		if (!hcl_call_check_count(call, total * call->count))
			return false;
	}
	if (!known) {
		*out = hcl_mark(hcl_unknown_not_null(type), marks);
		return true;
	}
	if (!convert_factors(call, type->element))
		return false;
	struct hcl_value *tuples = zp_arena_alloc(call->arena, total * sizeof(*tuples));
	struct hcl_value *parts = zp_arena_alloc(call->arena, total * call->count * sizeof(*parts));
	for (uint64_t i = 0; i < total; i++) {
		uint64_t rest = i;
		for (size_t j = call->count; j-- > 0; rest /= call->args[j].count)
			parts[j] = call->args[j].elements[rest % call->args[j].count];
		tuples[i] = hcl_tuple_value(parts, call->count);
		parts += call->count;
	}
	*out = type->kind == HCL_SET ? hcl_set_build(call->arena, type->element, tuples, total)
				     : hcl_list_value(type->element, tuples, total);
	*out = hcl_mark(*out, marks);
	return true;
}

#define SETS                                                                                       \
	.params = { { "first_set", HCL_T_SET, 0 } }, .rest = { "other_sets", HCL_T_SET, 0 },       \
	.type = common_set_type

static const struct hcl_function functions[] = {
	{ .name = "setunion", SETS, .call = setunion },
	{ .name = "setintersection", SETS, .call = setintersection },
	{ .name = "setsubtract",
		.params = { { "a", HCL_T_SET, 0 }, { "b", HCL_T_SET, 0 } },
		.type = common_set_type,
		.call = setsubtract },
	{ .name = "setproduct",
		.rest = { "sets", HCL_T_ANY, HCL_MARKED_OK },
		.type = setproduct_type,
		.call = setproduct },
};

const struct hcl_function_list hcl_set_functions = { functions, ZP_ARRAY_SIZE(functions) };
