#include "hcl-lite/convert.h"

#include "base/alloc.h"
#include "hcl-lite/number.h"
#include "hcl-lite/value_internal.h"

struct conversion {
	struct zp_arena *arena;
	struct zp_buf *error, *path; /* either may be NULL */
};

static bool convert(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out);

static bool fail(struct conversion *c, const char *message)
{
	if (c->error)
		zp_buf_puts(c->error, message);
	return false;
}

/* Paths are put together from their end, on the way out of a failure. */
static void prepend_step(struct conversion *c, struct hcl_step step)
{
	if (!c->path)
		return;
	zp_autobuf text = ZP_BUF_INIT;
	hcl_path_text(&(struct hcl_path){ &step, 1 }, &text);
	zp_buf_str(&text, zp_buf_slice(c->path));
	zp_buf_clear(c->path);
	zp_buf_str(c->path, zp_buf_slice(&text));
}

static struct hcl_step key_step(const struct hcl_iterator *it)
{
	return (struct hcl_step){ NULL, it->key };
}

static bool string_to_bool(struct conversion *c, struct zp_str text, struct hcl_value *out)
{
	if (zp_str_is(text, "true") || zp_str_is(text, "1")) {
		*out = hcl_bool_value(true);
		return true;
	}
	if (zp_str_is(text, "false") || zp_str_is(text, "0")) {
		*out = hcl_bool_value(false);
		return true;
	}
	if (zp_str_is(text, "True") || zp_str_is(text, "TRUE"))
		return fail(
			c, "a bool is required; to convert from string, use lowercase \"true\"");
	if (zp_str_is(text, "False") || zp_str_is(text, "FALSE"))
		return fail(
			c, "a bool is required; to convert from string, use lowercase \"false\"");
	return fail(c, "a bool is required");
}

/* The common case, as in "web-${count.index}". */
static struct hcl_value integer_to_string(struct conversion *c, int64_t i)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (i < 0)
		*--at = '-';
	size_t len = (size_t)(digits + sizeof(digits) - at);
	return (struct hcl_value){ .type = hcl_string,
		.text = zp_arena_strndup(c->arena, at, len),
		.count = (uint32_t)len };
}

static struct hcl_value number_to_string(struct conversion *c, struct hcl_value v)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (!v.big)
		return integer_to_string(c, v.integer);
	hcl_number_text(v, &text);
	return hcl_string_value(c->arena, zp_buf_slice(&text));
}

static bool convert_primitive(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	if (want == hcl_string) {
		*out = v.type == hcl_bool ? hcl_string_static(v.boolean ? "true" : "false")
					  : number_to_string(c, v);
		return true;
	}
	if (want == hcl_bool)
		return string_to_bool(c, hcl_text(v), out);
	return hcl_parse_number(c->arena, hcl_text(v), out) || fail(c, "a number is required");
}

static bool same_types(const struct hcl_value *elements, size_t n, const struct hcl_type **element)
{
	*element = hcl_dynamic;
	for (size_t i = 0; i < n; i++) {
		if ((*element)->kind == HCL_DYNAMIC)
			*element = elements[i].type;
		else if (elements[i].type != *element && elements[i].type->kind != HCL_DYNAMIC)
			return false;
	}
	return true;
}

/* Brings elements to the type they have in common. */
static bool unify_elements(struct conversion *c, struct hcl_value *elements, size_t n)
{
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, n, sizeof(*types));

	for (size_t i = 0; i < n; i++)
		types[i] = elements[i].type;
	const struct hcl_type *element = hcl_unify(types, n);
	if (!element)
		return fail(c, "cannot find a common base type for all elements");
	for (size_t i = 0; i < n; i++)
		if (!convert(c, elements[i], element, &elements[i]))
			return false;
	return true;
}

/*
 * Elements whose type the constraint left open in part must have come out alike. Lists try a type in common
 * first, and maps of collections and objects; sets do not.
 */
static bool agree_on_type(struct conversion *c, const struct hcl_type *from, const struct hcl_type *to,
	const struct hcl_type *wanted, struct hcl_value *elements, size_t n,
	const struct hcl_type **element)
{
	bool tries = to->kind == HCL_LIST || (to->kind == HCL_MAP &&
		(hcl_type_is_collection(wanted) || wanted->kind == HCL_OBJECT));

	if (!same_types(elements, n, element)) {
		if (tries && !unify_elements(c, elements, n)) {
			if (to->kind == HCL_LIST)
				prepend_step(c, (struct hcl_step){ NULL, hcl_int_value((int64_t)n - 1) });
			return false;
		}
		if (!tries || !same_types(elements, n, element))
			return fail(c, to->kind == HCL_LIST ?
					"element types must all match for conversion to list" :
				to->kind == HCL_SET ?
					"element types must all match for conversion to set" :
				from->kind == HCL_OBJECT ?
					"attribute types must all match for conversion to map" :
					"map element types must all match for conversion to map");
	}
	for (size_t i = 0; i < n; i++)
		if (elements[i].type != *element) {
			unsigned marks;
			struct hcl_value bare = hcl_unmark(elements[i], &marks);
			elements[i] = hcl_mark(hcl_is_null(bare) ? hcl_null(*element) :
								   hcl_unknown(*element), marks);
		}
	return true;
}

/* What tuple or object members convert to where the constraint leaves it open. */
static const struct hcl_type *element_for(struct hcl_value v, const struct hcl_type *element)
{
	if (element->kind != HCL_DYNAMIC || v.count == 0)
		return element;
	if (hcl_type_is_collection(v.type))
		return v.type->element;
	zp_autofree const struct hcl_type **types = zp_reallocarray(NULL, v.count, sizeof(*types));
	for (uint32_t i = 0; i < v.count; i++)
		types[i] = v.type->kind == HCL_TUPLE ? v.type->elements[i]
						     : v.type->attributes[i].type;
	const struct hcl_type *unified = hcl_unify(types, v.count);
	return unified ? unified : element;
}

static const struct hcl_type *empty_element(struct hcl_value v, const struct hcl_type *element)
{
	if (element->kind == HCL_DYNAMIC && hcl_type_is_collection(v.type))
		return v.type->element;
	return hcl_type_without_optional(element);
}

static bool convert_elements(struct conversion *c, struct hcl_value v,
	const struct hcl_type *element, struct hcl_value *elements)
{
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		if (!convert(c, it.value, element, &elements[it.next - 1])) {
			prepend_step(c, key_step(&it));
			return false;
		}
	}
	return true;
}

static bool to_sequence(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	const struct hcl_type *element = want->element;

	/* How many elements a set has is open while one of them is unknown. */
	if (want->kind == HCL_LIST && !hcl_is_length_known(v)) {
		*out = hcl_unknown(hcl_list_type(v.type->element));
		return true;
	}
	struct hcl_value *elements = zp_arena_alloc(c->arena, v.count * sizeof(*elements));
	if (v.count == 0) {
		element = empty_element(v, element);
	} else {
		const struct hcl_type *wanted = element_for(v, element);
		if (!convert_elements(c, v, wanted, elements) ||
			!agree_on_type(c, v.type, want, wanted, elements, v.count, &element))
			return false;
	}
	*out = want->kind == HCL_LIST ? hcl_list_value(element, elements, v.count)
				      : hcl_set_build(c->arena, element, elements, v.count);
	return true;
}

static bool to_map(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	const struct hcl_type *element = want->element;
	zp_autofree struct hcl_value *elements = zp_reallocarray(NULL, v.count, sizeof(*elements));

	if (v.count == 0) {
		element = empty_element(v, element);
	} else {
		const struct hcl_type *wanted = element_for(v, element);
		if (!convert_elements(c, v, wanted, elements) ||
			!agree_on_type(c, v.type, want, wanted, elements, v.count, &element))
			return false;
	}
	struct hcl_map_entry *entries = zp_arena_alloc(c->arena, v.count * sizeof(*entries));
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);)
		entries[it.next - 1] =
			(struct hcl_map_entry){ hcl_text(it.key), elements[it.next - 1] };
	*out = hcl_map_value(element, entries, v.count);
	return true;
}

static struct hcl_value finish_object(
	struct conversion *c, const struct hcl_type *want, struct hcl_value *elements)
{
	zp_autofree struct hcl_attribute_type *attributes =
		zp_reallocarray(NULL, want->count, sizeof(*attributes));

	for (uint32_t i = 0; i < want->count; i++)
		attributes[i] = (struct hcl_attribute_type){ want->attributes[i].name,
			elements[i].type, false };
	(void)c;
	return hcl_object_value(hcl_object_type(attributes, want->count), elements);
}

static bool attribute_of(struct hcl_value v, const char *name, struct hcl_value *out)
{
	if (v.type->kind == HCL_OBJECT)
		return hcl_value_attribute(v, name, out);
	return hcl_map_lookup(v, zp_str(name), out);
}

static bool to_object(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	struct hcl_value *elements = zp_arena_alloc(c->arena, want->count * sizeof(*elements));

	for (uint32_t i = 0; i < want->count; i++) {
		const struct hcl_attribute_type *attribute = &want->attributes[i];
		struct hcl_value from;
		if (!attribute_of(v, attribute->name, &from)) {
			if (!attribute->optional) {
				if (c->error)
					zp_buf_printf(c->error,
						"map has no element for required attribute \"%s\"",
						attribute->name);
				return false;
			}
			elements[i] = hcl_null(attribute->type);
			continue;
		}
		if (!hcl_type_converts(from.type, attribute->type, true)) {
			if (c->error)
				hcl_mismatch_text(from.type, attribute->type, c->error);
			return false;
		}
		if (!convert(c, from, attribute->type, &elements[i])) {
			prepend_step(c, v.type->kind == HCL_MAP
						? (struct hcl_step){ NULL,
							  hcl_string_static(attribute->name) }
						: (struct hcl_step){ attribute->name, { 0 } });
			return false;
		}
	}
	*out = finish_object(c, want, elements);
	return true;
}

static bool to_tuple(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	struct hcl_value *elements = zp_arena_alloc(c->arena, v.count * sizeof(*elements));

	for (uint32_t i = 0; i < v.count; i++) {
		if (!convert(c, v.elements[i], want->elements[i], &elements[i])) {
			prepend_step(c, (struct hcl_step){ NULL, hcl_int_value(i) });
			return false;
		}
	}
	*out = hcl_tuple_value(elements, v.count);
	return true;
}

/* The wanted type of a value that is not there, with what is open in it taken from its own type. */
static const struct hcl_type *fill_dynamic(
	const struct hcl_type *from, const struct hcl_type *want);

static const struct hcl_type *fill_element(const struct hcl_type *from, const struct hcl_type *want)
{
	if (hcl_type_is_collection(from))
		return fill_dynamic(from->element, want->element);
	if (from->count == 0)
		return want->element;
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, from->count, sizeof(*types));
	for (uint32_t i = 0; i < from->count; i++)
		types[i] = from->kind == HCL_TUPLE ? from->elements[i] : from->attributes[i].type;
	const struct hcl_type *common = hcl_unify(types, from->count);
	return fill_dynamic(common ? common : hcl_dynamic, want->element);
}

static const struct hcl_type *fill_object(const struct hcl_type *from, const struct hcl_type *want)
{
	zp_autofree struct hcl_attribute_type *attributes =
		zp_reallocarray(NULL, want->count, sizeof(*attributes));

	for (uint32_t i = 0; i < want->count; i++) {
		const struct hcl_type *member = hcl_dynamic;
		attributes[i] = want->attributes[i];
		if (from->kind == HCL_MAP)
			member = from->element;
		int at = from->kind == HCL_OBJECT ? hcl_type_attribute(from, attributes[i].name,
							    strlen(attributes[i].name))
						  : -1;
		if (at >= 0)
			member = from->attributes[at].type;
		attributes[i].type = fill_dynamic(member, attributes[i].type);
	}
	return hcl_object_type(attributes, want->count);
}

static const struct hcl_type *fill_tuple(const struct hcl_type *from, const struct hcl_type *want)
{
	zp_autofree const struct hcl_type **types =
		zp_reallocarray(NULL, want->count, sizeof(*types));

	if (from->kind != HCL_TUPLE || from->count != want->count)
		return want;
	for (uint32_t i = 0; i < want->count; i++)
		types[i] = fill_dynamic(from->elements[i], want->elements[i]);
	return hcl_tuple_type(types, want->count);
}

static const struct hcl_type *fill_dynamic(const struct hcl_type *from, const struct hcl_type *want)
{
	if (from->kind == HCL_DYNAMIC || !want->has_dynamic || hcl_type_is_primitive(from))
		return want->kind == HCL_DYNAMIC ? from : want;
	switch (want->kind) {
	case HCL_DYNAMIC:
		return from;
	case HCL_LIST:
		return hcl_list_type(fill_element(from, want));
	case HCL_SET:
		return hcl_set_type(fill_element(from, want));
	case HCL_MAP:
		return hcl_map_type(fill_element(from, want));
	case HCL_OBJECT:
		return fill_object(from, want);
	case HCL_TUPLE:
		return fill_tuple(from, want);
	default:
		return want;
	}
}

/* What was known of an unknown value, as far as it holds for the converted one. */
static const struct hcl_refinement *carry_over(
	struct conversion *c, struct hcl_value v, const struct hcl_type *want)
{
	const struct hcl_refinement *from = v.type->kind == HCL_DYNAMIC ? NULL : v.refinement;

	if (!from)
		return NULL;
	struct hcl_refinement *r = zp_new(c->arena, struct hcl_refinement);
	r->not_null = from->not_null;
	r->length_max = UINT32_MAX;
	if (hcl_type_is_collection(want) && hcl_type_is_collection(v.type)) {
		r->length_min = from->length_min;
		r->length_max = from->length_max;
		if (want->kind == HCL_SET && r->length_min > 1)
			r->length_min = 1;
	}
	return r;
}

static bool convert_known(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	switch (want->kind) {
	case HCL_LIST:
	case HCL_SET:
		return to_sequence(c, v, want, out);
	case HCL_MAP:
		return to_map(c, v, want, out);
	case HCL_OBJECT:
		return to_object(c, v, want, out);
	case HCL_TUPLE:
		return to_tuple(c, v, want, out);
	default:
		return convert_primitive(c, v, want, out);
	}
}

/* The types are known to convert; what is left to fail is the value. */
static bool convert(struct conversion *c, struct hcl_value v, const struct hcl_type *want,
	struct hcl_value *out)
{
	if (v.type == want || want->kind == HCL_DYNAMIC ||
		(want->has_optional && v.type == hcl_type_without_optional(want))) {
		*out = v;
		return true;
	}
	unsigned marks;
	v = hcl_unmark(v, &marks);
	if (v.state == HCL_UNKNOWN)
		*out = hcl_unknown_refined(fill_dynamic(v.type, hcl_type_without_optional(want)),
			carry_over(c, v, want));
	else if (v.state == HCL_NULL)
		*out = hcl_null(fill_dynamic(v.type, hcl_type_without_optional(want)));
	else if (!convert_known(c, v, want, out))
		return false;
	*out = hcl_mark(*out, marks);
	return true;
}

bool hcl_convert_at(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error, struct zp_buf *path)
{
	struct conversion c = { arena, error, path };

	if (v.type != type && !hcl_type_converts(v.type, type, true)) {
		if (error)
			hcl_mismatch_text(v.type, type, error);
		return false;
	}
	return convert(&c, v, type, out);
}

bool hcl_convert(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error)
{
	return hcl_convert_at(arena, v, type, out, error, NULL);
}

bool hcl_convert_explained(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error)
{
	zp_autobuf path = ZP_BUF_INIT, why = ZP_BUF_INIT;

	if (hcl_convert_at(arena, v, type, out, &why, &path))
		return true;
	if (path.len)
		zp_buf_printf(error, "%s: ", path.ptr);
	zp_buf_str(error, why.len ? zp_buf_slice(&why) : zp_str("wrong type"));
	return false;
}
