/* Objects between the state's JSON and values. */
#include "hcl-lite/codec.h"
#include "planner/engine.h"

/* One step of the state's way of writing a path: {"type":"get_attr","value":"x"} or "index". */
static bool read_step(struct zp_json *json, struct zp_arena *arena, struct hcl_step *step)
{
	struct zp_str key, kind = { "", 0 }, text;
	bool attribute = false;

	for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "type")) {
			zp_json_read_string(json, &kind);
			attribute = zp_str_is(kind, "get_attr");
		} else if (zp_str_is(key, "value") && zp_json_peek(json) == ZP_JSON_STRING) {
			zp_json_read_string_arena(json, arena, &text);
			step->name = text.ptr;
		} else if (zp_str_is(key, "value") && zp_json_peek(json) == ZP_JSON_OBJECT) {
			/* {"value": 0, "type": "number"} */
			struct zp_str inner;
			for (zp_json_enter_object(json); zp_json_next_key(json, &inner);) {
				if (zp_str_is(inner, "value") && zp_json_peek(json) == ZP_JSON_STRING) {
					zp_json_read_string_arena(json, arena, &text);
					step->key = hcl_string_value(arena, text);
				} else if (zp_str_is(inner, "value")) {
					hcl_value_from_plain_json(json, arena, &step->key);
				} else {
					zp_json_skip(json, NULL);
				}
			}
		} else {
			zp_json_skip(json, NULL);
		}
	}
	if (!attribute && step->name && !step->key.type) {
		step->key = hcl_string_cstr(arena, step->name);
		step->name = NULL;
	}
	return !json->error;
}

static struct hcl_value mark_path(struct zp_arena *arena, struct hcl_value value,
	const struct hcl_step *steps, size_t count);

static struct hcl_value mark_element(struct zp_arena *arena, struct hcl_value value, uint32_t at,
	const struct hcl_step *steps, size_t count)
{
	if (value.type->kind == HCL_MAP) {
		struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, value.count);
		memcpy(entries, value.entries, value.count * sizeof(*entries));
		entries[at].value = mark_path(arena, entries[at].value, steps, count);
		return hcl_mark(hcl_map_value(value.type->element, entries, value.count), value.marks);
	}
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, value.count);
	memcpy(elements, value.elements, value.count * sizeof(*elements));
	elements[at] = mark_path(arena, elements[at], steps, count);
	switch (value.type->kind) {
	case HCL_OBJECT:
		return hcl_mark(hcl_object_value(value.type, elements), value.marks);
	case HCL_LIST:
		return hcl_mark(hcl_list_value(value.type->element, elements, value.count),
			value.marks);
	case HCL_TUPLE:
		return hcl_mark(hcl_tuple_value(elements, value.count), value.marks);
	default:
		return hcl_mark(value, HCL_SENSITIVE); /* a set is marked as a whole */
	}
}

/* A path that leads nowhere (the object changed its shape) marks as far as it leads. */
static struct hcl_value mark_path(struct zp_arena *arena, struct hcl_value value,
	const struct hcl_step *steps, size_t count)
{
	if (!count || value.state != HCL_KNOWN || hcl_type_is_primitive(value.type))
		return hcl_mark(value, HCL_SENSITIVE);
	const struct hcl_step *step = &steps[0];
	if (value.type->kind == HCL_OBJECT) {
		struct zp_str name = step->name ? zp_str(step->name) : hcl_text(step->key);
		int at = hcl_type_attribute(value.type, name.ptr, name.len);
		return at < 0 ? value : mark_element(arena, value, (uint32_t)at, steps + 1, count - 1);
	}
	if (value.type->kind == HCL_MAP && step->key.type == hcl_string) {
		for (uint32_t i = 0; i < value.count; i++)
			if (zp_str_equal(value.entries[i].key, hcl_text(step->key)))
				return mark_element(arena, value, i, steps + 1, count - 1);
		return value;
	}
	int64_t index;
	if (value.type->kind != HCL_SET && step->key.type == hcl_number &&
		hcl_number_to_int(step->key, &index) && index >= 0 && index < value.count)
		return mark_element(arena, value, (uint32_t)index, steps + 1, count - 1);
	return hcl_mark(value, HCL_SENSITIVE);
}

static struct hcl_value apply_sensitive(struct zp_arena *arena, struct zp_str paths,
	struct hcl_value value)
{
	struct zp_json json;

	if (!paths.len)
		return value;
	zp_json_init(&json, paths);
	for (bool more = zp_json_enter_array(&json); more && zp_json_next_element(&json);) {
		ZP_VEC(, struct hcl_step) steps = { 0 };
		for (zp_json_enter_array(&json); zp_json_next_element(&json);) {
			struct hcl_step step = { 0 };
			if (read_step(&json, arena, &step))
				zp_vec_push(&steps, step);
		}
		if (!json.error)
			value = mark_path(arena, value, steps.items, steps.count);
		zp_vec_release(&steps);
	}
	zp_json_release(&json);
	return value;
}

bool plan_decode_object(const struct state_object *object, const struct provider_schema *schema,
	struct zp_arena *arena, struct hcl_value *out, struct zp_error *err)
{
	struct zp_json json;

	if (!object->attributes.len) {
		*out = hcl_null(schema->type);
		return true;
	}
	zp_json_init(&json, object->attributes);
	bool ok = hcl_value_from_json(&json, arena, schema->type, out);
	if (!ok)
		zp_error_set(err, "%s: the stored object does not fit its resource type: %s",
			object->address, json.error ? json.error : "wrong shape");
	zp_json_release(&json);
	if (ok)
		*out = provider_schema_mark(schema, arena,
			apply_sensitive(arena, object->sensitive_attributes, *out));
	return ok;
}

void plan_encode_attributes(const struct provider_schema *schema, struct hcl_value value,
	struct zp_buf *out)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	/* As numbers come out of the peer's plans: -0 is 0, and no digit is rounded. */
	writer.exact_integers = true;
	hcl_value_to_json(&writer, value, schema->type);
}

static void write_step(struct zp_json_writer *writer, const struct hcl_step *step)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "type");
	zp_json_cstr(writer, step->name ? "get_attr" : "index");
	zp_json_key(writer, "value");
	if (step->name) {
		zp_json_cstr(writer, step->name);
	} else {
		zp_json_begin_object(writer);
		zp_json_key(writer, "value");
		hcl_value_to_json(writer, step->key, NULL);
		zp_json_key(writer, "type");
		zp_json_cstr(writer, step->key.type == hcl_number ? "number" : "string");
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

ZP_VEC(step_vec, struct hcl_step);

/* The outermost sensitive places. */
static void write_sensitive(struct zp_json_writer *writer, struct hcl_value value,
	struct step_vec *path)
{
	if (value.marks & HCL_SENSITIVE) {
		zp_json_begin_array(writer);
		for (size_t i = 0; i < path->count; i++)
			write_step(writer, &path->items[i]);
		zp_json_end_array(writer);
		return;
	}
	if (!(value.inside & HCL_SENSITIVE) || value.state != HCL_KNOWN)
		return;
	for (uint32_t i = 0; i < value.count; i++) {
		struct hcl_step step = { 0 };
		struct hcl_value part;
		if (value.type->kind == HCL_MAP) {
			step.key = (struct hcl_value){ .type = hcl_string,
				.text = value.entries[i].key.ptr,
				.count = (uint32_t)value.entries[i].key.len };
			part = value.entries[i].value;
		} else {
			if (value.type->kind == HCL_OBJECT)
				step.name = value.type->attributes[i].name;
			else
				step.key = hcl_int_value(i);
			part = value.elements[i];
		}
		zp_vec_push(path, step);
		write_sensitive(writer, part, path);
		path->count--;
	}
}

void plan_encode_sensitive(struct hcl_value value, struct zp_buf *out)
{
	struct zp_json_writer writer;
	struct step_vec path = { 0 };

	if (!(value.inside & HCL_SENSITIVE))
		return;
	zp_json_writer_init(&writer, out, false);
	zp_json_begin_array(&writer);
	write_sensitive(&writer, value, &path);
	zp_json_end_array(&writer);
	zp_vec_release(&path);
}

const char *plan_text_attribute(struct hcl_value object, const char *name)
{
	struct hcl_value value;

	if (!name || object.state != HCL_KNOWN || !object.type || object.type->kind != HCL_OBJECT ||
		!hcl_value_attribute(object, name, &value))
		return NULL;
	if (value.state != HCL_KNOWN || value.type != hcl_string || value.marks & HCL_SENSITIVE)
		return NULL;
	return value.text;
}

const char *plan_provider_address(struct plan *plan, const struct provider *provider,
	const char *alias)
{
	return zp_arena_format(&plan->arena, "provider[\"%s\"]%s%s", provider->source,
		alias ? "." : "", alias ? alias : "");
}
