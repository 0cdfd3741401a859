#include "base/alloc.h"
#include "base/json.h"
#include "base/vec.h"
#include "hcl-lite/syntax.h"
#include "hcl-lite/type.h"

static const char *const kind_names[] = {
	[HCL_BOOL] = "bool",
	[HCL_NUMBER] = "number",
	[HCL_STRING] = "string",
	[HCL_LIST] = "list",
	[HCL_SET] = "set",
	[HCL_MAP] = "map",
	[HCL_TUPLE] = "tuple",
	[HCL_OBJECT] = "object",
	[HCL_DYNAMIC] = "dynamic",
};

static void friendly(const struct hcl_type *type, bool constraint, struct zp_buf *out)
{
	const char *any = "any type";

	while (hcl_type_is_collection(type)) {
		zp_buf_puts(out, kind_names[type->kind]);
		zp_buf_puts(out, " of ");
		type = type->element;
		any = "any single type";
	}
	zp_buf_puts(out, type->kind == HCL_DYNAMIC && constraint ? any : kind_names[type->kind]);
}

void hcl_type_friendly(const struct hcl_type *type, struct zp_buf *out)
{
	friendly(type, false, out);
}

void hcl_type_friendly_constraint(const struct hcl_type *type, struct zp_buf *out)
{
	friendly(type, true, out);
}

static void attribute_name(const char *name, struct zp_buf *out)
{
	if (hcl_is_identifier(zp_str(name)))
		zp_buf_puts(out, name);
	else
		zp_json_quote(out, zp_str(name), false);
}

static void object_text(const struct hcl_type *type, struct zp_buf *out)
{
	zp_buf_puts(out, "object({");
	for (uint32_t i = 0; i < type->count; i++) {
		const struct hcl_attribute_type *attribute = &type->attributes[i];
		if (i)
			zp_buf_char(out, ',');
		attribute_name(attribute->name, out);
		zp_buf_puts(out, attribute->optional ? "=optional(" : "=");
		hcl_type_constraint_text(attribute->type, out);
		if (attribute->optional)
			zp_buf_char(out, ')');
	}
	zp_buf_puts(out, "})");
}

void hcl_type_constraint_text(const struct hcl_type *type, struct zp_buf *out)
{
	switch (type->kind) {
	case HCL_LIST:
	case HCL_SET:
	case HCL_MAP:
		zp_buf_puts(out, kind_names[type->kind]);
		zp_buf_char(out, '(');
		hcl_type_constraint_text(type->element, out);
		zp_buf_char(out, ')');
		break;
	case HCL_TUPLE:
		zp_buf_puts(out, "tuple([");
		for (uint32_t i = 0; i < type->count; i++) {
			if (i)
				zp_buf_char(out, ',');
			hcl_type_constraint_text(type->elements[i], out);
		}
		zp_buf_puts(out, "])");
		break;
	case HCL_OBJECT:
		object_text(type, out);
		break;
	case HCL_DYNAMIC:
		zp_buf_puts(out, "any");
		break;
	default:
		zp_buf_puts(out, kind_names[type->kind]);
	}
}

static void object_to_json(const struct hcl_type *type, struct zp_buf *out)
{
	bool optional = false;

	zp_buf_char(out, '{');
	for (uint32_t i = 0; i < type->count; i++) {
		if (i)
			zp_buf_char(out, ',');
		zp_json_quote(out, zp_str(type->attributes[i].name), true);
		zp_buf_char(out, ':');
		hcl_type_to_json(type->attributes[i].type, out);
		optional |= type->attributes[i].optional;
	}
	zp_buf_char(out, '}');
	if (!optional)
		return;
	const char *separator = ",[";
	for (uint32_t i = 0; i < type->count; i++) {
		if (!type->attributes[i].optional)
			continue;
		zp_buf_puts(out, separator);
		zp_json_quote(out, zp_str(type->attributes[i].name), true);
		separator = ",";
	}
	zp_buf_char(out, ']');
}

void hcl_type_to_json(const struct hcl_type *type, struct zp_buf *out)
{
	if (hcl_type_is_primitive(type) || type->kind == HCL_DYNAMIC) {
		zp_buf_printf(out, "\"%s\"", kind_names[type->kind]);
		return;
	}
	zp_buf_printf(out, "[\"%s\",", kind_names[type->kind]);
	if (hcl_type_is_collection(type)) {
		hcl_type_to_json(type->element, out);
	} else if (type->kind == HCL_TUPLE) {
		zp_buf_char(out, '[');
		for (uint32_t i = 0; i < type->count; i++) {
			if (i)
				zp_buf_char(out, ',');
			hcl_type_to_json(type->elements[i], out);
		}
		zp_buf_char(out, ']');
	} else {
		object_to_json(type, out);
	}
	zp_buf_char(out, ']');
}

static const struct hcl_type *read_type(struct zp_json *json);

static bool kind_from_name(struct zp_str name, enum hcl_kind *kind)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(kind_names); i++) {
		if (zp_str_is(name, kind_names[i])) {
			*kind = (enum hcl_kind)i;
			return true;
		}
	}
	return false;
}

static const struct hcl_type *read_primitive(struct zp_json *json)
{
	struct zp_str name;
	enum hcl_kind kind;

	if (!zp_json_read_string(json, &name) || !kind_from_name(name, &kind))
		return NULL;
	switch (kind) {
	case HCL_BOOL:
		return hcl_bool;
	case HCL_NUMBER:
		return hcl_number;
	case HCL_STRING:
		return hcl_string;
	case HCL_DYNAMIC:
		return hcl_dynamic;
	default:
		return NULL;
	}
}

ZP_VEC(types, const struct hcl_type *);

static const struct hcl_type *read_tuple(struct zp_json *json)
{
	struct types types = { 0 };
	const struct hcl_type *result = NULL;

	if (!zp_json_enter_array(json))
		return NULL;
	while (zp_json_next_element(json)) {
		const struct hcl_type *element = read_type(json);
		if (!element)
			goto undo;
		zp_vec_push(&types, element);
	}
	if (!json->error)
		result = hcl_tuple_type(types.items, types.count);
undo:
	zp_vec_release(&types);
	return result;
}

ZP_VEC(attributes, struct hcl_attribute_type);

static bool read_attributes(struct zp_json *json, struct zp_arena *arena, struct attributes *list)
{
	struct zp_str name;

	if (!zp_json_enter_object(json))
		return false;
	while (zp_json_next_key(json, &name)) {
		struct hcl_attribute_type *attribute = zp_vec_add(list);
		attribute->name = zp_arena_strndup(arena, name.ptr, name.len);
		attribute->type = hcl_dynamic;
		const struct hcl_type *type = read_type(json);
		if (!type)
			return false;
		list->items[list->count - 1].type = type;
	}
	return !json->error;
}

static bool read_optional(struct zp_json *json, struct attributes *list)
{
	if (!zp_json_enter_array(json))
		return false;
	while (zp_json_next_element(json)) {
		struct zp_str name;
		bool found = false;
		if (!zp_json_read_string(json, &name))
			return false;
		for (size_t i = 0; i < list->count; i++) {
			if (!zp_str_is(name, list->items[i].name))
				continue;
			list->items[i].optional = found = true;
		}
		if (!found)
			return false;
	}
	return !json->error;
}

/* After the kind: the attributes, and the names of the optional ones if there are any. */
static const struct hcl_type *read_object(struct zp_json *json, bool *closed)
{
	struct attributes list = { 0 };
	struct zp_arena arena;
	const struct hcl_type *result = NULL;

	zp_arena_init(&arena);
	if (!read_attributes(json, &arena, &list))
		goto undo;
	*closed = !zp_json_next_element(json);
	if (json->error || (!*closed && !read_optional(json, &list)))
		goto undo;
	result = hcl_object_type(list.items, list.count);
undo:
	zp_vec_release(&list);
	zp_arena_release(&arena);
	return result;
}

static const struct hcl_type *read_compound(struct zp_json *json)
{
	struct zp_str name;
	enum hcl_kind kind;
	const struct hcl_type *type = NULL;
	bool closed = false;

	if (!zp_json_enter_array(json) || !zp_json_next_element(json) ||
		!zp_json_read_string(json, &name) || !kind_from_name(name, &kind) ||
		!zp_json_next_element(json))
		return NULL;
	if (kind >= HCL_LIST && kind <= HCL_MAP) {
		type = read_type(json);
		if (type)
			type = kind == HCL_LIST	 ? hcl_list_type(type)
			       : kind == HCL_SET ? hcl_set_type(type)
						 : hcl_map_type(type);
	} else if (kind == HCL_TUPLE) {
		type = read_tuple(json);
	} else if (kind == HCL_OBJECT) {
		type = read_object(json, &closed);
	}
	if (!type || json->error || (!closed && zp_json_next_element(json)))
		return NULL;
	return json->error ? NULL : type;
}

static const struct hcl_type *read_type(struct zp_json *json)
{
	return zp_json_peek(json) == ZP_JSON_ARRAY ? read_compound(json) : read_primitive(json);
}

const struct hcl_type *hcl_type_from_json(struct zp_str text)
{
	struct zp_json json;

	zp_json_init(&json, text);
	const struct hcl_type *type = read_type(&json);
	if (type && !zp_json_at_end(&json))
		type = NULL;
	zp_json_release(&json);
	return type;
}
