/*
 * Maps, objects and collections of any kind: looking up, merging, taking apart.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/vec.h"
#include "hcl-lite/function.h"
#include "hcl-lite/grapheme.h"
#include "hcl-lite/number.h"

ZP_VEC(values, struct hcl_value);
ZP_VEC(entries, struct hcl_map_entry);

static bool is_mapping(const struct hcl_type *type)
{
	return type->kind == HCL_MAP || type->kind == HCL_OBJECT;
}

static bool string_type_list(struct hcl_call *call, size_t n, const struct hcl_type **type)
{
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));

	(void)call;
	for (size_t i = 0; i < n; i++)
		types[i] = hcl_string;
	*type = hcl_tuple_type(types, n);
	return true;
}

/* A length that is not known yet, but within limits. */
static struct hcl_value unknown_length(struct hcl_call *call, struct hcl_value v)
{
	uint32_t least = 0, most = UINT32_MAX;

	if (hcl_type_is_collection(v.type))
		hcl_length_bounds(v, &least, &most);
	struct hcl_value min = hcl_int_value(least), max = hcl_int_value(most);
	return hcl_unknown_number(call->arena, &min, most == UINT32_MAX ? NULL : &max);
}

static bool length(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value v = call->args[0];
	const struct hcl_type *type = v.type;

	if (hcl_type_is_primitive(type) && type != hcl_string)
		return hcl_call_fail(
			call, "argument must be a string, a collection type, or a structural type");
	if (type->kind == HCL_TUPLE || type->kind == HCL_OBJECT)
		*out = hcl_int_value(type->count);
	else if (type->kind == HCL_DYNAMIC)
		*out = hcl_unknown_not_null(hcl_number);
	else if (!hcl_is_known(v) || !hcl_is_length_known(v))
		*out = unknown_length(call, v);
	else
		*out = hcl_int_value(
			type == hcl_string ? (int64_t)hcl_grapheme_count(hcl_text(v)) : v.count);
	*out = hcl_mark(*out, v.marks);
	return true;
}

/* What is unknown ends the search for something false, but not that for something true. */
static bool alltrue(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];

	*out = hcl_bool_value(true);
	for (uint32_t i = 0; i < list.count; i++) {
		struct hcl_value v = list.elements[i];
		if (!hcl_is_known(v)) {
			*out = hcl_unknown_not_null(hcl_bool);
			return true;
		}
		if (hcl_is_null(v) || !v.boolean) {
			*out = hcl_bool_value(false);
			return true;
		}
	}
	return true;
}

static bool anytrue(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];

	*out = hcl_bool_value(false);
	for (uint32_t i = 0; i < list.count; i++) {
		struct hcl_value v = list.elements[i];
		if (!hcl_is_known(v)) {
			*out = hcl_unknown_not_null(hcl_bool);
		} else if (!hcl_is_null(v) && v.boolean) {
			*out = hcl_bool_value(true);
			return true;
		}
	}
	return true;
}

static const struct hcl_type *common_type(const struct hcl_value *v, size_t n, bool safe)
{
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));

	for (size_t i = 0; i < n; i++)
		types[i] = v[i].type;
	return safe ? hcl_unify_safe(types, n) : hcl_unify(types, n);
}

static bool coalesce_type(struct hcl_call *call, const struct hcl_type **type)
{
	*type = common_type(call->args, call->count, false);
	return *type || hcl_call_fail(call, "all arguments must have the same type");
}

static bool coalesce(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_type *type;
	struct hcl_value v;

	if (!coalesce_type(call, &type))
		return false;
	for (size_t i = 0; i < call->count; i++) {
		/* What cannot become the common type counts as absent, as with the peer. */
		if (!hcl_convert(call->arena, call->args[i], type, &v, NULL))
			continue;
		if (!hcl_is_known(v)) {
			*out = hcl_unknown_not_null(type);
			return true;
		}
		if (hcl_is_null(v) || (v.type == hcl_string && v.count == 0))
			continue;
		*out = v;
		return true;
	}
	return hcl_call_fail(call, "no non-null, non-empty-string arguments");
}

static bool lists_only(struct hcl_call *call)
{
	if (call->count == 0)
		return hcl_call_fail(call, "at least one argument is required");
	for (size_t i = 0; i < call->count; i++) {
		enum hcl_kind kind = call->args[i].type->kind;
		if (!hcl_is_known(call->args[i]))
			break;
		if (kind != HCL_LIST && kind != HCL_TUPLE)
			return hcl_call_fail(
				call, "coalescelist arguments must be lists or tuples");
	}
	return true;
}

/* Arguments of different types leave it open which one it will be. */
static bool coalescelist_type(struct hcl_call *call, const struct hcl_type **type)
{
	if (!lists_only(call))
		return false;
	*type = call->args[0].type;
	for (size_t i = 0; i < call->count; i++)
		if (!hcl_is_known(call->args[i]) || call->args[i].type != call->args[0].type)
			*type = hcl_dynamic;
	return true;
}

static bool coalescelist(struct hcl_call *call, struct hcl_value *out)
{
	const struct hcl_type *type;

	if (!coalescelist_type(call, &type))
		return false;
	for (size_t i = 0; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		if (!hcl_is_known(v)) {
			*out = hcl_unknown(type);
			return true;
		}
		if (hcl_is_null(v) || v.count == 0)
			continue;
		*out = v;
		return true;
	}
	return hcl_call_fail(call, "no non-null arguments");
}

static bool keys_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *from = call->args[0].type;

	if (!is_mapping(from))
		return hcl_call_fail_argument(call, 0, "must have map or object type");
	if (from->kind == HCL_OBJECT)
		return string_type_list(call, from->count, type);
	*type = hcl_list_type(hcl_string);
	return true;
}

/* The keys are no secret where only the elements are: own marks count, those inside do not. */
static bool keys(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value from = call->args[0];
	const struct hcl_type *type;

	if (!keys_type(call, &type))
		return false;
	if (from.type->kind == HCL_MAP && !hcl_is_known(from)) {
		*out = hcl_mark(hcl_unknown_not_null(type), from.marks);
		return true;
	}
	struct hcl_value *elements = zp_arena_alloc(
		call->arena, from.type->kind == HCL_MAP ? from.count * sizeof(*elements)
							: from.type->count * sizeof(*elements));
	if (from.type->kind == HCL_OBJECT) {
		for (uint32_t i = 0; i < from.type->count; i++)
			elements[i] = hcl_string_static(from.type->attributes[i].name);
		*out = hcl_tuple_value(elements, from.type->count);
	} else {
		for (struct hcl_iterator it = hcl_iterate(from); hcl_iterator_next(&it);)
			elements[it.next - 1] = it.key;
		*out = hcl_list_value(hcl_string, elements, from.count);
	}
	*out = hcl_mark(*out, from.marks);
	return true;
}

static bool values_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *from = call->args[0].type;

	if (!is_mapping(from))
		return hcl_call_fail(call, "values() requires a map as the first argument");
	if (from->kind == HCL_MAP) {
		*type = hcl_list_type(from->element);
		return true;
	}
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, from->count, sizeof(*types));
	for (uint32_t i = 0; i < from->count; i++)
		types[i] = from->attributes[i].type;
	*type = hcl_tuple_type(types, from->count);
	return true;
}

static bool values(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value from = call->args[0];
	const struct hcl_type *type;

	if (!values_type(call, &type))
		return false;
	struct hcl_value *elements = zp_arena_alloc(call->arena, from.count * sizeof(*elements));
	for (struct hcl_iterator it = hcl_iterate(from); hcl_iterator_next(&it);)
		elements[it.next - 1] = it.value;
	*out = type->kind == HCL_TUPLE ? hcl_tuple_value(elements, from.count)
				       : hcl_list_value(type->element, elements, from.count);
	*out = hcl_mark(*out, from.marks);
	return true;
}

static void shown_key(struct hcl_value key, struct zp_buf *out)
{
	if (key.marks & HCL_SENSITIVE)
		zp_buf_puts(out, "(sensitive value)");
	else
		hcl_go_quote(out, hcl_text(key));
}

static bool lookup_object_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *from = call->args[0].type;
	struct hcl_value key = call->args[1];
	zp_autobuf name = ZP_BUF_INIT;

	*type = hcl_dynamic;
	if (!hcl_is_known(key))
		return true;
	int at = hcl_type_attribute(from, key.text, key.count);
	if (at >= 0) {
		*type = from->attributes[at].type;
	} else if (call->count == 3) {
		*type = call->args[2].type;
	} else {
		shown_key(key, &name);
		return hcl_call_fail_argument(
			call, 0, "the given object has no attribute %s", name.ptr);
	}
	return true;
}

static bool lookup_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *from = call->args[0].type;
	struct hcl_value converted;

	if (call->count > 3)
		return hcl_call_fail(
			call, "lookup() takes two or three arguments, got %zu", call->count);
	if (from->kind == HCL_OBJECT)
		return lookup_object_type(call, type);
	if (from->kind != HCL_MAP)
		return hcl_call_fail_argument(
			call, 0, "lookup() requires a map as the first argument");
	if (call->count == 3 &&
		!hcl_convert(call->arena, call->args[2], from->element, &converted, NULL))
		return hcl_call_fail_argument(
			call, 2, "the default value must have the same type as the map elements");
	*type = from->element;
	return true;
}

static bool lookup(struct hcl_call *call, struct hcl_value *out)
{
	unsigned marks = call->args[0].marks | call->args[1].marks;
	struct hcl_value from = call->args[0], key = call->args[1];
	zp_autobuf name = ZP_BUF_INIT;
	const struct hcl_type *type;

	if (!lookup_type(call, &type))
		return false;
	bool object = from.type->kind == HCL_OBJECT;
	int at = object ? hcl_type_attribute(from.type, key.text, key.count) : -1;
	if (!hcl_is_known(from))
		*out = hcl_unknown(type);
	else if (at >= 0)
		*out = from.elements[at];
	else if (object || !hcl_map_lookup(from, hcl_text(key), out)) {
		if (call->count < 3) {
			shown_key(key, &name);
			return hcl_call_fail(call, "lookup failed to find key %s", name.ptr);
		}
		if (!hcl_convert(call->arena, call->args[2], type, out, NULL))
			return hcl_call_fail_argument(call, 2, "unsuitable default value");
	}
	*out = hcl_mark(*out, marks);
	return true;
}

static void add_attributes(struct zp_map *attributes, struct hcl_value v)
{
	const struct hcl_type *type = v.type;

	if (hcl_is_null(v))
		return;
	if (type->kind == HCL_OBJECT) {
		for (uint32_t i = 0; i < type->count; i++)
			zp_map_set(attributes, zp_str(type->attributes[i].name),
				(void *)type->attributes[i].type);
	} else if (hcl_is_known(v)) {
		for (uint32_t i = 0; i < v.count; i++)
			zp_map_set(attributes, v.entries[i].key, (void *)type->element);
	}
}

static const struct hcl_type *object_of(const struct zp_map *attributes)
{
	zp_autofree struct hcl_attribute_type *list = zp_calloc(attributes->count, sizeof(*list));

	for (size_t i = 0; i < attributes->count; i++)
		list[i] = (struct hcl_attribute_type){ attributes->entries[i].key.ptr,
			attributes->entries[i].value, false };
	return hcl_object_type(list, attributes->count);
}

/* The type of all where they are of one; else an object with all attributes, as far as they are
 * known. */
static bool merge_type(struct hcl_call *call, const struct hcl_type **type)
{
	struct zp_map attributes = { 0 };
	bool same = true, open = false;

	*type = call->count ? call->args[0].type : hcl_empty_object();
	for (size_t i = 0; i < call->count; i++) {
		const struct hcl_type *of = call->args[i].type;
		zp_autobuf friendly = ZP_BUF_INIT;
		if (of->kind == HCL_DYNAMIC) {
			*type = hcl_dynamic;
			return true;
		}
		hcl_type_friendly(of, &friendly);
		if (!is_mapping(of))
			return hcl_call_fail(call, "arguments must be maps or objects, got \"%s\"",
				friendly.ptr);
		same &= of == call->args[0].type;
		open |= of->kind == HCL_MAP && !hcl_is_known(call->args[i]);
	}
	if (same)
		return true;
	if (open) {
		*type = hcl_dynamic;
		return true;
	}
	for (size_t i = 0; i < call->count; i++)
		add_attributes(&attributes, call->args[i]);
	*type = object_of(&attributes);
	zp_map_release(&attributes);
	return true;
}

static bool merge_entries(
	struct hcl_call *call, struct zp_map *merged, struct values *list, unsigned *marks)
{
	for (size_t i = 0; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		*marks |= v.marks;
		if (hcl_is_null(v))
			continue;
		if (!hcl_is_known(v) || !is_mapping(v.type))
			return false;
		for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
			zp_vec_push(list, it.value);
			zp_map_set(merged, hcl_text(it.key), (void *)(uintptr_t)list->count);
		}
	}
	return true;
}

static bool merge(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_map merged = { 0 };
	struct values list = { 0 };
	const struct hcl_type *type;
	unsigned marks = 0;

	if (!merge_type(call, &type))
		return false;
	bool open = false;
	for (size_t i = 0; i < call->count; i++)
		open |= hcl_is_unknown(call->args[i]);
	for (size_t i = 0; i < call->count && !open; i++)
		if (!hcl_is_null(call->args[i]) && !is_mapping(call->args[i].type))
			return hcl_call_fail(call, "arguments must be maps or objects");
	if (!merge_entries(call, &merged, &list, &marks)) {
		*out = hcl_unknown_not_null(type);
		for (size_t i = 0; i < call->count; i++)
			marks |= call->args[i].marks;
	} else if (type->kind == HCL_MAP) {
		struct hcl_map_entry *entries =
			zp_arena_alloc(call->arena, merged.count * sizeof(*entries));
		for (size_t i = 0; i < merged.count; i++)
			entries[i] = (struct hcl_map_entry){ merged.entries[i].key,
				list.items[(uintptr_t)merged.entries[i].value - 1] };
		*out = hcl_map_value(type->element, entries, merged.count);
	} else {
		zp_autofree const char **names =
			zp_reallocarray(NULL, merged.count, sizeof(*names));
		zp_autofree struct hcl_value *elements =
			zp_reallocarray(NULL, merged.count, sizeof(*elements));
		for (size_t i = 0; i < merged.count; i++) {
			names[i] = merged.entries[i].key.ptr;
			elements[i] = list.items[(uintptr_t)merged.entries[i].value - 1];
		}
		*out = hcl_object_build(call->arena, names, elements, merged.count);
	}
	*out = hcl_mark(*out, marks);
	zp_map_release(&merged);
	zp_vec_release(&list);
	return true;
}

static bool zipmap_type(struct hcl_call *call, const struct hcl_type **type)
{
	struct hcl_value names = call->args[0];
	const struct hcl_type *from = call->args[1].type;

	if (from->kind == HCL_LIST) {
		*type = hcl_map_type(from->element);
		return true;
	}
	if (from->kind != HCL_TUPLE)
		return hcl_call_fail(call, "values argument must be a list or tuple value");
	*type = hcl_dynamic;
	if (!hcl_is_wholly_known(names))
		return true;
	if (names.count != from->count)
		return hcl_call_fail(call,
			"number of keys (%u) does not match number of values (%u)", names.count,
			from->count);
	zp_autofree struct hcl_attribute_type *attributes =
		zp_calloc(names.count, sizeof(*attributes));
	for (uint32_t i = 0; i < names.count; i++) {
		if (hcl_is_null(names.elements[i]))
			return hcl_call_fail(call, "keys list has null value at index %u", i);
		attributes[i] = (struct hcl_attribute_type){ names.elements[i].text,
			from->elements[i], false };
	}
	*type = hcl_object_type(attributes, names.count);
	return true;
}

static bool zipmap(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value names = call->args[0], from = call->args[1];
	const struct hcl_type *type;

	if (!zipmap_type(call, &type))
		return false;
	unsigned marks = names.marks | from.marks;
	if (!hcl_is_wholly_known(names) || !hcl_is_known(from)) {
		*out = hcl_mark(hcl_unknown_not_null(type), marks);
		return true;
	}
	if (names.count != from.count)
		return hcl_call_fail(call,
			"number of keys (%u) does not match number of values (%u)", names.count,
			from.count);
	struct hcl_map_entry *entries = zp_arena_alloc(call->arena, names.count * sizeof(*entries));
	zp_autofree const char **texts = zp_reallocarray(NULL, names.count, sizeof(*texts));
	for (uint32_t i = 0; i < names.count; i++) {
		if (hcl_is_null(names.elements[i]))
			return hcl_call_fail(call, "keys list has null value at index %u", i);
		marks |= names.elements[i].marks;
		texts[i] = names.elements[i].text;
		entries[i] =
			(struct hcl_map_entry){ hcl_text(names.elements[i]), from.elements[i] };
	}
	*out = type->kind == HCL_MAP
		       ? hcl_map_value(type->element, entries, names.count)
		       : hcl_object_build(call->arena, texts, from.elements, names.count);
	*out = hcl_mark(*out, marks);
	return true;
}

static int by_value_then_key(const void *a, const void *b)
{
	const struct hcl_map_entry *x = a, *y = b;
	int order = zp_str_compare(x->key, y->key);

	return order ? order : zp_str_compare(hcl_text(x->value), hcl_text(y->value));
}

static bool transpose_pairs(struct hcl_call *call, struct entries *pairs)
{
	struct hcl_value from = call->args[0];

	for (struct hcl_iterator it = hcl_iterate(from); hcl_iterator_next(&it);) {
		if (hcl_is_null(it.value))
			return hcl_call_fail(call, "input must not contain null list");
		for (uint32_t i = 0; i < it.value.count; i++) {
			struct hcl_value v = it.value.elements[i];
			if (hcl_is_null(v))
				return hcl_call_fail(
					call, "input list must not contain null string");
			zp_vec_push(pairs, ((struct hcl_map_entry){ hcl_text(v), it.key }));
		}
	}
	return true;
}

static bool transpose(struct hcl_call *call, struct hcl_value *out)
{
	struct entries pairs = { 0 };
	const struct hcl_type *element = hcl_list_type(hcl_string);

	if (!hcl_is_wholly_known(call->args[0])) {
		*out = hcl_unknown_not_null(hcl_map_type(element));
		return true;
	}
	bool done = transpose_pairs(call, &pairs);
	struct hcl_map_entry *result = zp_arena_alloc(call->arena, pairs.count * sizeof(*result));
	struct hcl_value *texts = zp_arena_alloc(call->arena, pairs.count * sizeof(*texts));
	size_t n = 0;
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), by_value_then_key);
	for (size_t i = 0, end; done && i < pairs.count; i = end) {
		for (end = i;
			end < pairs.count && zp_str_equal(pairs.items[end].key, pairs.items[i].key);
			end++)
			texts[end] = pairs.items[end].value;
		result[n++] = (struct hcl_map_entry){ pairs.items[i].key,
			hcl_list_value(hcl_string, texts + i, end - i) };
	}
	*out = hcl_map_value(element, result, n);
	zp_vec_release(&pairs);
	return done;
}

/* A list, set or tuple; unknown parts make it impossible to say no. */
static bool contains(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0], wanted = call->args[1];
	bool unknown = false, equal;

	if (!hcl_type_is_sequence(list.type))
		return hcl_call_fail(call, "argument must be list, tuple, or set");
	for (uint32_t i = 0; i < list.count; i++) {
		if (hcl_value_equality(list.elements[i], wanted, &equal) == HCL_UNKNOWN) {
			unknown = true;
		} else if (equal) {
			*out = hcl_bool_value(true);
			return true;
		}
	}
	*out = unknown ? hcl_unknown_not_null(hcl_bool) : hcl_bool_value(false);
	return true;
}

static bool index_type(struct hcl_call *call, const struct hcl_type **type)
{
	enum hcl_kind kind = call->args[0].type->kind;

	*type = hcl_number;
	return !hcl_is_known(call->args[0]) || !hcl_is_known(call->args[1]) || kind == HCL_LIST ||
	       kind == HCL_TUPLE || hcl_call_fail(call, "argument must be a list or tuple");
}

static bool index_call(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0];
	const struct hcl_type *type;
	bool equal;

	if (!index_type(call, &type))
		return false;
	if (list.count == 0)
		return hcl_call_fail(call, "cannot search an empty list");
	for (uint32_t i = 0; i < list.count; i++) {
		if (hcl_value_equality(list.elements[i], call->args[1], &equal) == HCL_UNKNOWN) {
			*out = hcl_unknown_not_null(hcl_number);
			return true;
		}
		if (equal) {
			*out = hcl_int_value(i);
			return true;
		}
	}
	return hcl_call_fail(call, "item not found");
}

static bool match_sets_type(struct hcl_call *call, const struct hcl_type **type)
{
	if (!common_type(call->args + 1, 2, false))
		return hcl_call_fail(call, "keys and searchset must be of the same type");
	*type = call->args[0].type;
	return true;
}

static bool is_in(struct hcl_value v, struct hcl_value list, bool *unknown)
{
	bool equal;

	for (uint32_t i = 0; i < list.count; i++) {
		if (hcl_value_equality(v, list.elements[i], &equal) == HCL_UNKNOWN) {
			*unknown = true;
			return false;
		}
		if (equal)
			return true;
	}
	return false;
}

static bool matchkeys(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value of = call->args[0], names, wanted;
	const struct hcl_type *type = hcl_dynamic;
	bool unknown = false;
	uint32_t n = 0;

	if (!match_sets_type(call, &type))
		return false;
	if (of.count != call->args[1].count)
		return hcl_call_fail(call, "length of keys and values should be equal");
	const struct hcl_type *common = common_type(call->args + 1, 2, false);
	if (!hcl_convert(call->arena, call->args[1], common, &names, NULL) ||
		!hcl_convert(call->arena, call->args[2], common, &wanted, NULL))
		return hcl_call_fail(call, "keys and searchset must be of the same type");
	struct hcl_value *elements = zp_arena_alloc(call->arena, of.count * sizeof(*elements));
	if (wanted.count && (!hcl_is_wholly_known(of) || !hcl_is_wholly_known(names))) {
		*out = hcl_unknown_not_null(type);
		return true;
	}
	for (uint32_t i = 0; i < names.count; i++)
		if (is_in(names.elements[i], wanted, &unknown))
			elements[n++] = of.elements[i];
	*out = hcl_list_value(type->element, elements, unknown ? 0 : n);
	return true;
}

static bool one_type(struct hcl_call *call, const struct hcl_type **type)
{
	const struct hcl_type *of = call->args[0].type;

	*type = hcl_dynamic;
	if (of->kind == HCL_LIST || of->kind == HCL_SET)
		*type = of->element;
	else if (of->kind == HCL_TUPLE && of->count == 1)
		*type = of->elements[0];
	else if (of->kind != HCL_TUPLE || of->count > 1)
		return hcl_call_fail_argument(call, 0,
			"must be a list, set, or tuple value with either zero or one elements");
	return true;
}

static bool one(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value of = call->args[0];
	const struct hcl_type *type;

	if (!one_type(call, &type))
		return false;
	if (!hcl_is_length_known(of)) {
		*out = hcl_unknown(type);
		return true;
	}
	if (of.count > 1)
		return hcl_call_fail_argument(call, 0,
			"must be a list, set, or tuple value with either zero or one elements");
	*out = of.count ? of.elements[0] : hcl_null(type);
	return true;
}

#define LIST                                                                                       \
	{                                                                                          \
		"list", HCL_T_ANY, 0                                                               \
	}

static const struct hcl_function functions[] = {
	{ .name = "length",
		.params = { { "value", HCL_T_ANY,
			HCL_UNKNOWN_OK | HCL_DYNAMIC_OK | HCL_MARKED_OK } },
		.returns = HCL_T_NUMBER,
		.call = length },
	{ .name = "alltrue",
		.params = { { "list", HCL_T_LIST_BOOL, 0 } },
		.returns = HCL_T_BOOL,
		.call = alltrue },
	{ .name = "anytrue",
		.params = { { "list", HCL_T_LIST_BOOL, 0 } },
		.returns = HCL_T_BOOL,
		.call = anytrue },
	{ .name = "coalesce",
		.rest = { "vals", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK | HCL_DYNAMIC_OK },
		.type = coalesce_type,
		.call = coalesce },
	{ .name = "coalescelist",
		.rest = { "vals", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK | HCL_DYNAMIC_OK },
		.type = coalescelist_type,
		.call = coalescelist },
	{ .name = "keys",
		.params = { { "inputMap", HCL_T_ANY, HCL_UNKNOWN_OK | HCL_MARKED_OK } },
		.type = keys_type,
		.call = keys },
	{ .name = "values",
		.params = { { "mapping", HCL_T_ANY, HCL_MARKED_OK } },
		.type = values_type,
		.call = values },
	{ .name = "lookup",
		.params = { { "inputMap", HCL_T_ANY, HCL_MARKED_OK },
			{ "key", HCL_T_STRING, HCL_MARKED_OK } },
		.rest = { "default", HCL_T_ANY, HCL_ANYTHING },
		.type = lookup_type,
		.call = lookup,
		.maybe_null = true },
	{ .name = "merge",
		.rest = { "maps", HCL_T_ANY, HCL_ANYTHING },
		.type = merge_type,
		.call = merge },
	{ .name = "zipmap",
		.params = { { "keys", HCL_T_LIST_STRING, HCL_MARKED_OK },
			{ "values", HCL_T_ANY, HCL_MARKED_OK } },
		.type = zipmap_type,
		.call = zipmap },
	{ .name = "transpose",
		.params = { { "values", HCL_T_MAP_LIST_STRING, 0 } },
		.returns = HCL_T_MAP_LIST_STRING,
		.call = transpose },
	{ .name = "contains",
		.params = { LIST, { "value", HCL_T_ANY, 0 } },
		.returns = HCL_T_BOOL,
		.call = contains },
	{ .name = "index",
		.params = { LIST, { "value", HCL_T_ANY, 0 } },
		.type = index_type,
		.call = index_call },
	{ .name = "matchkeys",
		.params = { { "values", HCL_T_LIST, 0 }, { "keys", HCL_T_LIST, 0 },
			{ "searchset", HCL_T_LIST, 0 } },
		.type = match_sets_type,
		.call = matchkeys },
	{ .name = "one", .params = { LIST }, .type = one_type, .call = one, .maybe_null = true },
};

const struct hcl_function_list hcl_collection_functions = { functions, ZP_ARRAY_SIZE(functions) };
