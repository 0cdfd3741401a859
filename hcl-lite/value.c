#include "hcl-lite/value.h"

#include <utf8proc.h>

#include "base/alloc.h"
#include "hcl-lite/number.h"
#include "hcl-lite/value_internal.h"

struct hcl_value hcl_null(const struct hcl_type *type)
{
	return (struct hcl_value){ .type = hcl_type_without_optional(type), .state = HCL_NULL };
}

struct hcl_value hcl_unknown(const struct hcl_type *type)
{
	return (struct hcl_value){ .type = hcl_type_without_optional(type),
		.state = HCL_UNKNOWN,
		.inside = HCL_HAS_UNKNOWN };
}

struct hcl_value hcl_unknown_refined(const struct hcl_type *type, const struct hcl_refinement *r)
{
	struct hcl_value v = hcl_unknown(type);

	if (type->kind != HCL_DYNAMIC)
		v.refinement = r;
	return v;
}

struct hcl_value hcl_unknown_not_null(const struct hcl_type *type)
{
	static const struct hcl_refinement not_null = { .not_null = true,
		.length_max = UINT32_MAX };
	return hcl_unknown_refined(type, &not_null);
}

static const struct hcl_value *keep(struct zp_arena *arena, const struct hcl_value *v)
{
	if (!v)
		return NULL;
	struct hcl_value *kept = zp_new(arena, struct hcl_value);
	*kept = *v;
	return kept;
}

struct hcl_value hcl_unknown_number(
	struct zp_arena *arena, const struct hcl_value *min, const struct hcl_value *max)
{
	if (min && max && hcl_number_compare(*min, *max) == 0)
		return *min; /* nothing else it could be */
	struct hcl_refinement *r = zp_new(arena, struct hcl_refinement);

	*r = (struct hcl_refinement){ .not_null = true,
		.has_min = min != NULL,
		.has_max = max != NULL,
		.min_inclusive = true,
		.max_inclusive = true,
		.min = keep(arena, min),
		.max = keep(arena, max),
		.length_max = UINT32_MAX };
	return hcl_unknown_refined(hcl_number, r);
}

void hcl_length_bounds(struct hcl_value v, uint32_t *min, uint32_t *max)
{
	const struct hcl_refinement *r = hcl_is_unknown(v) ? v.refinement : NULL;

	*min = r ? r->length_min : 0;
	*max = r ? r->length_max : UINT32_MAX;
	if (hcl_is_unknown(v))
		return;
	*min = hcl_is_length_known(v) ? v.count : 1;
	*max = v.count;
}

struct hcl_value hcl_bool_value(bool b)
{
	return (struct hcl_value){ .type = hcl_bool, .boolean = b };
}

static bool is_ascii(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	return true;
}

static void add_valid_utf8(struct zp_buf *out, struct zp_str text)
{
	for (size_t i = 0; i < text.len;) {
		utf8proc_int32_t rune;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
			(utf8proc_ssize_t)(text.len - i), &rune);
		zp_buf_rune(out, n > 0 ? (uint32_t)rune : 0xfffd);
		i += n > 0 ? (size_t)n : 1;
	}
}

/* Two steps: utf8proc refuses invalid input, which is made valid first. */
static void add_nfc(struct zp_buf *out, struct zp_str text)
{
	zp_autobuf valid = ZP_BUF_INIT;
	utf8proc_uint8_t *normal = NULL;

	add_valid_utf8(&valid, text);
	utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)valid.ptr,
		(utf8proc_ssize_t)valid.len, &normal, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (len >= 0)
		zp_buf_add(out, normal, (size_t)len);
	else
		zp_buf_str(out, zp_buf_slice(&valid));
	free(normal);
}

struct hcl_value hcl_string_value(struct zp_arena *arena, struct zp_str text)
{
	struct hcl_value v = { .type = hcl_string };

	if (is_ascii(text)) {
		v.text = zp_arena_strndup(arena, text.len ? text.ptr : "", text.len);
		v.count = (uint32_t)text.len;
		return v;
	}
	zp_autobuf normal = ZP_BUF_INIT;
	add_nfc(&normal, text);
	v.text = zp_arena_strndup(arena, normal.ptr, normal.len);
	v.count = (uint32_t)normal.len;
	return v;
}

struct hcl_value hcl_string_cstr(struct zp_arena *arena, const char *text)
{
	return hcl_string_value(arena, zp_str(text));
}

struct hcl_value hcl_string_static(const char *text)
{
	return (struct hcl_value){
		.type = hcl_string, .text = text, .count = (uint32_t)strlen(text)
	};
}

static uint8_t inside_of(const struct hcl_value *elements, size_t n)
{
	uint8_t inside = 0;

	for (size_t i = 0; i < n; i++)
		inside |= elements[i].inside;
	return inside;
}

struct hcl_value hcl_list_value(
	const struct hcl_type *element, struct hcl_value *elements, size_t n)
{
	return (struct hcl_value){ .type = hcl_list_type(element),
		.elements = elements,
		.count = (uint32_t)n,
		.inside = inside_of(elements, n) };
}

struct hcl_value hcl_tuple_value(struct hcl_value *elements, size_t n)
{
	const struct hcl_type *few[32] = { NULL };
	zp_autofree const struct hcl_type **many = NULL;
	const struct hcl_type **types = few;

	if (n > ZP_ARRAY_SIZE(few))
		types = many = zp_reallocarray(NULL, n, sizeof(*types));
	for (size_t i = 0; i < n; i++)
		types[i] = elements[i].type;
	return (struct hcl_value){ .type = hcl_tuple_type(types, n),
		.elements = elements,
		.count = (uint32_t)n,
		.inside = inside_of(elements, n) };
}

struct hcl_value hcl_object_value(const struct hcl_type *type, struct hcl_value *elements)
{
	return (struct hcl_value){ .type = type,
		.elements = elements,
		.count = type->count,
		.inside = inside_of(elements, type->count) };
}

struct named {
	const char *name;
	size_t at;
};

static int by_name_then_place(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool names_ascend(const char *const *names, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(names[i - 1], names[i]) >= 0)
			return false;
	return true;
}

struct hcl_value hcl_object_build(
	struct zp_arena *arena, const char *const *names, const struct hcl_value *values, size_t n)
{
	struct hcl_value *elements = zp_arena_alloc(arena, n * sizeof(*elements));
	zp_autofree struct hcl_attribute_type *types = zp_reallocarray(NULL, n, sizeof(*types));
	size_t kept = 0;

	if (names_ascend(names, n)) {
		for (; kept < n; kept++) {
			elements[kept] = values[kept];
			types[kept] = (struct hcl_attribute_type){ names[kept], values[kept].type,
				false };
		}
		return hcl_object_value(hcl_object_type(types, n), elements);
	}
	zp_autofree struct named *order = zp_reallocarray(NULL, n, sizeof(*order));
	for (size_t i = 0; i < n; i++)
		order[i] = (struct named){ names[i], i };
	qsort(order, n, sizeof(*order), by_name_then_place);
	for (size_t i = 0; i < n; i++) {
		const struct hcl_value *v = &values[order[i].at];
		if (kept && strcmp(types[kept - 1].name, order[i].name) == 0)
			kept--;
		elements[kept] = *v;
		types[kept++] = (struct hcl_attribute_type){ order[i].name, v->type, false };
	}
	return hcl_object_value(hcl_object_type(types, kept), elements);
}

static int by_key(const void *a, const void *b)
{
	return zp_str_compare(
		((const struct hcl_map_entry *)a)->key, ((const struct hcl_map_entry *)b)->key);
}

static bool keys_ascend(const struct hcl_map_entry *entries, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_key(&entries[i - 1], &entries[i]) >= 0)
			return false;
	return true;
}

/* Sorting must keep equal keys in their order, so that the later one wins. */
static size_t sort_entries(struct hcl_map_entry *entries, size_t n)
{
	zp_autofree struct hcl_map_entry *scratch = zp_reallocarray(NULL, n, sizeof(*scratch));
	struct hcl_map_entry *from = entries, *to = scratch;

	for (size_t width = 1; width < n; width *= 2) {
		for (size_t start = 0; start < n; start += 2 * width) {
			size_t middle = start + width < n ? start + width : n;
			size_t end = start + 2 * width < n ? start + 2 * width : n;
			size_t a = start, b = middle;
			for (size_t i = start; i < end; i++)
				to[i] = a < middle && (b >= end || by_key(&from[a], &from[b]) <= 0)
						? from[a++]
						: from[b++];
		}
		struct hcl_map_entry *swap = from;
		from = to;
		to = swap;
	}
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && by_key(&from[i], &from[i + 1]) == 0)
			continue;
		to[kept++] = from[i];
	}
	if (to != entries)
		memcpy(entries, to, kept * sizeof(*entries));
	return kept;
}

struct hcl_value hcl_map_value(
	const struct hcl_type *element, struct hcl_map_entry *entries, size_t n)
{
	uint8_t inside = 0;

	if (!keys_ascend(entries, n))
		n = sort_entries(entries, n);
	for (size_t i = 0; i < n; i++)
		inside |= entries[i].value.inside;
	return (struct hcl_value){ .type = hcl_map_type(element),
		.entries = entries,
		.count = (uint32_t)n,
		.inside = inside };
}

/* What is below the value, without its own marks. */
static uint8_t inside_below(struct hcl_value v)
{
	uint8_t inside = 0;

	if (v.state == HCL_UNKNOWN)
		return HCL_HAS_UNKNOWN;
	if (v.state == HCL_NULL || hcl_type_is_primitive(v.type))
		return 0;
	if (v.type->kind != HCL_MAP)
		return inside_of(v.elements, v.count);
	for (uint32_t i = 0; i < v.count; i++)
		inside |= v.entries[i].value.inside;
	return inside;
}

struct hcl_value hcl_mark(struct hcl_value v, unsigned marks)
{
	marks &= HCL_ALL_MARKS;
	v.marks |= (uint8_t)marks;
	v.inside |= (uint8_t)marks;
	return v;
}

struct hcl_value hcl_unmark(struct hcl_value v, unsigned *marks)
{
	if (marks)
		*marks = v.marks;
	if (v.marks) {
		v.marks = 0;
		v.inside = inside_below(v);
	}
	return v;
}

struct hcl_value hcl_unmark_deep(struct zp_arena *arena, struct hcl_value v, unsigned marks)
{
	marks &= HCL_ALL_MARKS;
	if (!(v.inside & marks))
		return v;
	v.marks &= (uint8_t)~marks;
	v.inside &= (uint8_t)~marks;
	if (v.state != HCL_KNOWN || hcl_type_is_primitive(v.type))
		return v;
	if (v.type->kind == HCL_MAP) {
		struct hcl_map_entry *entries = zp_arena_alloc(arena, v.count * sizeof(*entries));
		for (uint32_t i = 0; i < v.count; i++) {
			entries[i].key = v.entries[i].key;
			entries[i].value = hcl_unmark_deep(arena, v.entries[i].value, marks);
		}
		v.entries = entries;
		return v;
	}
	struct hcl_value *elements = zp_arena_alloc(arena, v.count * sizeof(*elements));
	for (uint32_t i = 0; i < v.count; i++)
		elements[i] = hcl_unmark_deep(arena, v.elements[i], marks);
	v.elements = elements;
	return v;
}

struct hcl_value hcl_unknown_to_null(struct zp_arena *arena, struct hcl_value v)
{
	if (hcl_is_wholly_known(v))
		return v;
	if (v.state != HCL_KNOWN || v.type->kind == HCL_SET)
		return hcl_mark(hcl_null(v.type), v.marks);
	if (v.type->kind == HCL_MAP) {
		struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, v.count);
		for (uint32_t i = 0; i < v.count; i++) {
			entries[i].key = v.entries[i].key;
			entries[i].value = hcl_unknown_to_null(arena, v.entries[i].value);
		}
		return hcl_mark(hcl_map_value(v.type->element, entries, v.count), v.marks);
	}
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, v.count);
	for (uint32_t i = 0; i < v.count; i++)
		elements[i] = hcl_unknown_to_null(arena, v.elements[i]);
	struct hcl_value known = v.type->kind == HCL_LIST ?
		hcl_list_value(v.type->element, elements, v.count) :
		v.type->kind == HCL_TUPLE ? hcl_tuple_value(elements, v.count) :
		hcl_object_value(v.type, elements);
	return hcl_mark(known, v.marks);
}

bool hcl_value_attribute(struct hcl_value object, const char *name, struct hcl_value *out)
{
	int at = hcl_type_attribute(object.type, name, strlen(name));

	if (at < 0)
		return false;
	*out = object.elements[at];
	return true;
}

bool hcl_map_lookup(struct hcl_value map, struct zp_str key, struct hcl_value *out)
{
	uint32_t low = 0, high = map.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = zp_str_compare(map.entries[middle].key, key);
		if (order == 0) {
			*out = map.entries[middle].value;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static const struct hcl_refinement *copy_refinement(
	struct zp_arena *arena, const struct hcl_refinement *from)
{
	if (!from)
		return NULL;
	struct hcl_refinement *r = zp_new(arena, struct hcl_refinement);
	*r = *from;
	r->prefix = zp_arena_str(arena, from->prefix);
	const struct hcl_value **bounds[] = { &r->min, &r->max };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bounds); i++) {
		if (!*bounds[i])
			continue;
		struct hcl_value *bound = zp_new(arena, struct hcl_value);
		*bound = hcl_value_copy(arena, **bounds[i]);
		*bounds[i] = bound;
	}
	return r;
}

static struct hcl_value copy_known(struct zp_arena *arena, struct hcl_value v)
{
	switch (v.type->kind) {
	case HCL_STRING:
		v.text = zp_arena_strndup(arena, v.text, v.count);
		return v;
	case HCL_NUMBER: {
		if (!v.big)
			return v;
		struct hcl_value copy = hcl_number_store(arena, &v.number->value);
		copy.marks = v.marks;
		copy.inside = v.inside;
		return copy;
	}
	case HCL_BOOL:
		return v;
	case HCL_MAP: {
		struct hcl_map_entry *entries = zp_arena_alloc(arena, v.count * sizeof(*entries));
		for (uint32_t i = 0; i < v.count; i++) {
			entries[i].key = zp_arena_str(arena, v.entries[i].key);
			entries[i].value = hcl_value_copy(arena, v.entries[i].value);
		}
		v.entries = entries;
		return v;
	}
	default: {
		struct hcl_value *elements = zp_arena_alloc(arena, v.count * sizeof(*elements));
		for (uint32_t i = 0; i < v.count; i++)
			elements[i] = hcl_value_copy(arena, v.elements[i]);
		v.elements = elements;
		return v;
	}
	}
}

struct hcl_value hcl_value_copy(struct zp_arena *arena, struct hcl_value v)
{
	if (v.state == HCL_NULL)
		return v;
	if (v.state == HCL_UNKNOWN) {
		v.refinement = copy_refinement(arena, v.refinement);
		return v;
	}
	return copy_known(arena, v);
}

void hcl_path_text(const struct hcl_path *path, struct zp_buf *out)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct hcl_step *step = &path->steps[i];
		if (step->name) {
			zp_buf_char(out, '.');
			zp_buf_puts(out, step->name);
			continue;
		}
		zp_buf_char(out, '[');
		if (step->key.state != HCL_KNOWN || step->key.marks)
			zp_buf_puts(out, "...");
		else if (step->key.type == hcl_string)
			hcl_go_quote(out, hcl_text(step->key));
		else if (step->key.type == hcl_number)
			hcl_number_text(step->key, out);
		else
			zp_buf_puts(out, "...");
		zp_buf_char(out, ']');
	}
}
