/*
 * Values as JSON: with the type known beside it, as in states and plans, and plain.
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/convert.h"
#include "hcl-lite/value_internal.h"

static void write_number(struct zp_json_writer *writer, struct hcl_value v)
{
	zp_autobuf text = ZP_BUF_INIT;
	int64_t integer;

	if (!v.big) {
		zp_json_int(writer, v.integer);
		return;
	}
	if (writer->exact_integers && hcl_number_to_int(v, &integer)) {
		zp_json_int(writer, integer);
		return;
	}
	hcl_number_text(v, &text);
	zp_json_raw(writer, zp_buf_slice(&text));
}

static const struct hcl_type *member_type(const struct hcl_type *as, uint32_t at)
{
	if (!as)
		return NULL;
	if (hcl_type_is_collection(as))
		return as->element;
	if (as->kind == HCL_TUPLE)
		return at < as->count ? as->elements[at] : NULL;
	if (as->kind == HCL_OBJECT)
		return at < as->count ? as->attributes[at].type : NULL;
	return NULL;
}

static void write_mapping(
	struct zp_json_writer *writer, struct hcl_value v, const struct hcl_type *as)
{
	zp_json_begin_object(writer);
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		zp_json_key_str(writer, hcl_text(it.key));
		hcl_value_to_json(writer, it.value, member_type(as, it.next - 1));
	}
	zp_json_end_object(writer);
}

static void write_sequence(
	struct zp_json_writer *writer, struct hcl_value v, const struct hcl_type *as)
{
	zp_json_begin_array(writer);
	for (uint32_t i = 0; i < v.count; i++)
		hcl_value_to_json(writer, v.elements[i], member_type(as, i));
	zp_json_end_array(writer);
}

static void write_with_type(struct zp_json_writer *writer, struct hcl_value v)
{
	zp_autobuf type = ZP_BUF_INIT;

	zp_json_begin_object(writer);
	zp_json_key(writer, "value");
	hcl_value_to_json(writer, v, v.type->kind == HCL_DYNAMIC ? NULL : v.type);
	zp_json_key(writer, "type");
	hcl_type_to_json(v.type, &type);
	zp_json_raw(writer, zp_buf_slice(&type));
	zp_json_end_object(writer);
}

void hcl_value_to_json(struct zp_json_writer *writer, struct hcl_value v, const struct hcl_type *as)
{
	if (as && as->kind == HCL_DYNAMIC && v.state == HCL_KNOWN) {
		write_with_type(writer, v);
		return;
	}
	if (v.state != HCL_KNOWN) {
		zp_json_null(writer);
		return;
	}
	switch (v.type->kind) {
	case HCL_BOOL:
		zp_json_bool(writer, v.boolean);
		break;
	case HCL_NUMBER:
		write_number(writer, v);
		break;
	case HCL_STRING:
		zp_json_string(writer, hcl_text(v));
		break;
	case HCL_MAP:
	case HCL_OBJECT:
		write_mapping(writer, v, as);
		break;
	default:
		write_sequence(writer, v, as);
	}
}

ZP_VEC(values, struct hcl_value);
ZP_VEC(entries, struct hcl_map_entry);

static bool read_string(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	struct zp_str text;

	if (!zp_json_read_string(json, &text))
		return false;
	*out = hcl_string_value(arena, text);
	return true;
}

static bool read_number(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	struct zp_str text;

	if (!zp_json_read_number(json, &text))
		return false;
	return hcl_parse_number(arena, text, out) || zp_json_fail(json, "number out of range");
}

/* A primitive; numbers and bools may stand in quotes, as old states have them. */
static bool read_primitive(struct zp_json *json, struct zp_arena *arena,
	const struct hcl_type *type, struct hcl_value *out)
{
	bool b = false;

	switch (zp_json_peek(json)) {
	case ZP_JSON_BOOL:
		if (!zp_json_read_bool(json, &b))
			return false;
		*out = hcl_bool_value(b);
		break;
	case ZP_JSON_NUMBER:
		if (!read_number(json, arena, out))
			return false;
		break;
	case ZP_JSON_STRING:
		if (!read_string(json, arena, out))
			return false;
		break;
	default:
		return zp_json_fail(json, type == hcl_bool     ? "a bool is required"
					  : type == hcl_number ? "a number is required"
							       : "a string is required");
	}
	return hcl_convert(arena, *out, type, out, NULL) ||
	       zp_json_fail(json, type == hcl_bool ? "a bool is required" : "a number is required");
}

static const struct hcl_type *element_type_of(
	const struct values *list, const struct hcl_type *declared)
{
	return declared->has_dynamic && list->count ? list->items[0].type
						    : hcl_type_without_optional(declared);
}

/* Elements of a collection of dynamic must turn out to be of one type. */
static bool one_type(struct zp_json *json, const struct values *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->items[i].type != list->items[0].type)
			return zp_json_fail(json, "elements must have the same type");
	return true;
}

static bool read_elements(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct values *list)
{
	if (!zp_json_enter_array(json))
		return false;
	while (zp_json_next_element(json)) {
		struct hcl_value element;
		bool tuple = type->kind == HCL_TUPLE;
		if (tuple && list->count >= type->count)
			return zp_json_fail(json, "too many elements for the tuple");
		if (!hcl_value_from_json(json, arena,
			    tuple ? type->elements[list->count] : type->element, &element))
			return false;
		zp_vec_push(list, element);
	}
	if (json->error)
		return false;
	if (type->kind == HCL_TUPLE)
		return list->count == type->count ||
		       zp_json_fail(json, "not enough elements for the tuple");
	return one_type(json, list);
}

static bool read_sequence(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct hcl_value *out)
{
	struct values list = { 0 };
	bool done = read_elements(json, arena, type, &list);

	if (done) {
		struct hcl_value *items = zp_vec_to_arena(&list, arena);
		if (type->kind == HCL_TUPLE)
			*out = hcl_tuple_value(items, list.count);
		else if (type->kind == HCL_LIST)
			*out = hcl_list_value(
				element_type_of(&list, type->element), items, list.count);
		else
			*out = hcl_set_build(
				arena, element_type_of(&list, type->element), items, list.count);
	}
	zp_vec_release(&list);
	return done;
}

static bool read_entries(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct entries *list)
{
	struct zp_str key;

	if (!zp_json_enter_object(json))
		return false;
	while (zp_json_next_key(json, &key)) {
		struct hcl_map_entry entry = { hcl_text(hcl_string_value(arena, key)), { 0 } };
		if (!hcl_value_from_json(json, arena, type->element, &entry.value))
			return false;
		if (list->count && entry.value.type != list->items[0].value.type)
			return zp_json_fail(json, "elements must have the same type");
		zp_vec_push(list, entry);
	}
	return !json->error;
}

static bool read_map(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct hcl_value *out)
{
	struct entries list = { 0 };
	bool done = read_entries(json, arena, type, &list);

	if (done) {
		const struct hcl_type *element = type->element->has_dynamic && list.count
							 ? list.items[0].value.type
							 : hcl_type_without_optional(type->element);
		*out = hcl_map_value(element, zp_vec_to_arena(&list, arena), list.count);
	}
	zp_vec_release(&list);
	return done;
}

static bool read_object(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct hcl_value *out)
{
	struct hcl_value *elements = zp_arena_alloc(arena, type->count * sizeof(*elements));
	struct zp_str key;

	for (uint32_t i = 0; i < type->count; i++)
		elements[i] = hcl_null(type->attributes[i].type);
	if (!zp_json_enter_object(json))
		return false;
	while (zp_json_next_key(json, &key)) {
		int at = hcl_type_attribute(type, key.ptr, key.len);
		if (at < 0)
			return zp_json_fail(json, "unsupported attribute");
		if (!hcl_value_from_json(json, arena, type->attributes[at].type, &elements[at]))
			return false;
	}
	if (json->error)
		return false;
	if (!type->has_dynamic) {
		*out = hcl_object_value(hcl_type_without_optional(type), elements);
		return true;
	}
	zp_autofree const char **names = zp_reallocarray(NULL, type->count, sizeof(*names));
	for (uint32_t i = 0; i < type->count; i++)
		names[i] = type->attributes[i].name;
	*out = hcl_object_build(arena, names, elements, type->count);
	return true;
}

/* {"value":..., "type":...} in either order: the raw text of the value waits for the type. */
static bool read_with_type(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	const struct hcl_type *type = NULL;
	struct zp_str key, raw, value = { 0 };

	if (!zp_json_enter_object(json))
		return false;
	while (zp_json_next_key(json, &key)) {
		bool is_type = zp_str_is(key, "type"), is_value = zp_str_is(key, "value");
		if (!zp_json_skip(json, &raw))
			return false;
		if (is_type && !(type = hcl_type_from_json(raw)))
			return zp_json_fail(json, "invalid type");
		if (is_value)
			value = raw;
	}
	if (json->error)
		return false;
	if (!type || !value.ptr)
		return zp_json_fail(json, "dynamic value without type");
	struct zp_json inner;
	zp_json_init(&inner, value);
	inner.depth = json->depth + 1;
	bool done = type->kind == HCL_DYNAMIC ? zp_json_read_null(&inner)
					      : hcl_value_from_json(&inner, arena, type, out);
	if (done && type->kind == HCL_DYNAMIC)
		*out = hcl_null(hcl_dynamic);
	if (!done)
		zp_json_fail(json, inner.error ? inner.error : "invalid value");
	zp_json_release(&inner);
	return done;
}

bool hcl_value_from_json(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct hcl_value *out)
{
	if (zp_json_peek(json) == ZP_JSON_NULL) {
		*out = hcl_null(type);
		return zp_json_read_null(json);
	}
	switch (type->kind) {
	case HCL_LIST:
	case HCL_SET:
	case HCL_TUPLE:
		return read_sequence(json, arena, type, out);
	case HCL_MAP:
		return read_map(json, arena, type, out);
	case HCL_OBJECT:
		return read_object(json, arena, type, out);
	case HCL_DYNAMIC:
		return read_with_type(json, arena, out);
	default:
		return read_primitive(json, arena, type, out);
	}
}

static bool read_plain_array(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	struct values list = { 0 };

	if (!zp_json_enter_array(json))
		return false;
	while (zp_json_next_element(json)) {
		struct hcl_value element;
		if (!hcl_value_from_plain_json(json, arena, &element))
			break;
		zp_vec_push(&list, element);
	}
	if (!json->error)
		*out = hcl_tuple_value(zp_vec_to_arena(&list, arena), list.count);
	zp_vec_release(&list);
	return !json->error;
}

static bool read_plain_object(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	struct entries list = { 0 };
	struct zp_str key;

	if (!zp_json_enter_object(json))
		return false;
	while (zp_json_next_key(json, &key)) {
		struct hcl_map_entry entry;
		entry.key = hcl_text(hcl_string_value(arena, key));
		if (!hcl_value_from_plain_json(json, arena, &entry.value))
			break;
		zp_vec_push(&list, entry);
	}
	if (!json->error) {
		zp_autofree const char **names = zp_reallocarray(NULL, list.count, sizeof(*names));
		zp_autofree struct hcl_value *values =
			zp_reallocarray(NULL, list.count, sizeof(*values));
		for (size_t i = 0; i < list.count; i++) {
			names[i] = list.items[i].key.ptr;
			values[i] = list.items[i].value;
		}
		*out = hcl_object_build(arena, names, values, list.count);
	}
	zp_vec_release(&list);
	return !json->error;
}

bool hcl_value_from_plain_json(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out)
{
	bool b;

	switch (zp_json_peek(json)) {
	case ZP_JSON_NULL:
		*out = hcl_null(hcl_dynamic);
		return zp_json_read_null(json);
	case ZP_JSON_BOOL:
		if (!zp_json_read_bool(json, &b))
			return false;
		*out = hcl_bool_value(b);
		return true;
	case ZP_JSON_NUMBER:
		return read_number(json, arena, out);
	case ZP_JSON_STRING:
		return read_string(json, arena, out);
	case ZP_JSON_ARRAY:
		return read_plain_array(json, arena, out);
	case ZP_JSON_OBJECT:
		return read_plain_object(json, arena, out);
	default:
		return zp_json_fail(json, "a value is missing");
	}
}

/*
 * The two shadows of a value that plans show beside it. A leaf that applies is true; what is left
 * of the rest is objects without the leaves that do not apply, and arrays with false in their
 * place.
 */
static bool is_leaf(struct hcl_value v, bool sensitive)
{
	/* Of an unknown collection it is not known what inside is sensitive: it shows as an empty one. */
	if (v.state == HCL_UNKNOWN && sensitive)
		return hcl_type_is_primitive(v.type) || v.type->kind == HCL_DYNAMIC;
	return v.state != HCL_KNOWN || hcl_type_is_primitive(v.type);
}

static void write_shadow(struct zp_json_writer *writer, struct hcl_value v, bool sensitive)
{
	bool here = sensitive ? v.marks & HCL_SENSITIVE : v.state == HCL_UNKNOWN;

	if (here || is_leaf(v, sensitive)) {
		zp_json_bool(writer, here);
		return;
	}
	bool empty = v.state == HCL_UNKNOWN;
	if (v.type->kind == HCL_MAP || v.type->kind == HCL_OBJECT) {
		zp_json_begin_object(writer);
		for (struct hcl_iterator it = hcl_iterate(v); !empty && hcl_iterator_next(&it);) {
			bool child = sensitive ? it.value.marks & HCL_SENSITIVE
					       : it.value.state == HCL_UNKNOWN;
			if (is_leaf(it.value, sensitive) && !child)
				continue;
			zp_json_key_str(writer, hcl_text(it.key));
			write_shadow(writer, it.value, sensitive);
		}
		zp_json_end_object(writer);
		return;
	}
	zp_json_begin_array(writer);
	for (uint32_t i = 0; !empty && i < v.count; i++)
		write_shadow(writer, v.elements[i], sensitive);
	zp_json_end_array(writer);
}

void hcl_unknown_to_json(struct zp_json_writer *writer, struct hcl_value v)
{
	write_shadow(writer, v, false);
}

void hcl_sensitive_to_json(struct zp_json_writer *writer, struct hcl_value v)
{
	write_shadow(writer, v, true);
}
