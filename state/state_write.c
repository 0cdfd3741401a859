#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "state/state_internal.h"

static int key_order(struct state_key a, struct state_key b)
{
	if (a.kind != b.kind)
		return (int)a.kind - (int)b.kind;
	if (a.kind == STATE_INT_KEY)
		return (a.number > b.number) - (a.number < b.number);
	return zp_str_compare(a.text, b.text);
}

/* As the peer sorts its file: module, mode, type, name, then key, the current object first. */
static int object_order(const void *x, const void *y)
{
	const struct state_object *a = *(struct state_object *const *)x;
	const struct state_object *b = *(struct state_object *const *)y;
	int order = 0;

	if (a->resource != b->resource) {
		order = strcmp(a->resource->module, b->resource->module);
		if (!order) /* "data" comes before "managed" */
			order = (int)b->resource->mode - (int)a->resource->mode;
		if (!order)
			order = strcmp(a->resource->type, b->resource->type);
		if (!order)
			order = strcmp(a->resource->name, b->resource->name);
	}
	if (!order)
		order = key_order(a->key, b->key);
	if (!order)
		order = strcmp(a->deposed ? a->deposed : "", b->deposed ? b->deposed : "");
	return order;
}

static void write_extra(struct zp_json_writer *writer, struct zp_str extra)
{
	struct zp_json json;
	struct zp_str key, raw;

	if (!extra.len)
		return;
	zp_json_init(&json, extra);
	for (zp_json_enter_object(&json); zp_json_next_key(&json, &key);) {
		zp_json_key_str(writer, key);
		if (zp_json_skip(&json, &raw))
			state_json_copy(writer, raw);
	}
	zp_json_release(&json);
}

static void write_dependencies(struct zp_json_writer *writer, const struct state_object *object)
{
	if (!object->dependency_count)
		return;
	zp_json_key(writer, "dependencies");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < object->dependency_count; i++)
		zp_json_cstr(writer, object->dependencies[i]);
	zp_json_end_array(writer);
}

/* The oldest objects have these instead; they are among the unknown members. */
static bool has_flat_attributes(const struct state_object *object)
{
	struct zp_str name = ZP_STR("\"attributes_flat\":");

	return object->extra.len &&
		memmem(object->extra.ptr, object->extra.len, name.ptr, name.len);
}

static void write_object(struct zp_json_writer *writer, const struct state_object *object)
{
	zp_json_begin_object(writer);
	if (object->key.kind != STATE_NO_KEY) {
		zp_json_key(writer, "index_key");
		if (object->key.kind == STATE_INT_KEY)
			zp_json_int(writer, object->key.number);
		else
			zp_json_string(writer, object->key.text);
	}
	if (object->tainted) {
		zp_json_key(writer, "status");
		zp_json_cstr(writer, "tainted");
	}
	if (object->deposed) {
		zp_json_key(writer, "deposed");
		zp_json_cstr(writer, object->deposed);
	}
	zp_json_key(writer, "schema_version");
	zp_json_int(writer, object->schema_version);
	if (object->attributes.len || !has_flat_attributes(object)) {
		zp_json_key(writer, "attributes");
		state_json_copy(writer,
			object->attributes.len ? object->attributes : ZP_STR("{}"));
	}
	zp_json_key(writer, "sensitive_attributes");
	state_json_copy(writer,
		object->sensitive_attributes.len ? object->sensitive_attributes : ZP_STR("[]"));
	write_extra(writer, object->identity);
	if (object->private_data.len) {
		zp_json_key(writer, "private");
		zp_json_string(writer, object->private_data);
	}
	write_dependencies(writer, object);
	if (object->create_before_destroy) {
		zp_json_key(writer, "create_before_destroy");
		zp_json_bool(writer, true);
	}
	write_extra(writer, object->extra);
	zp_json_end_object(writer);
}

static void begin_resource(struct zp_json_writer *writer, const struct state_object *first)
{
	const struct state_resource *resource = first->resource;

	zp_json_begin_object(writer);
	if (*resource->module) {
		zp_json_key(writer, "module");
		zp_json_cstr(writer, resource->module);
	}
	zp_json_key(writer, "mode");
	zp_json_cstr(writer, resource->mode == STATE_DATA ? "data" : "managed");
	zp_json_key(writer, "type");
	zp_json_cstr(writer, resource->type);
	zp_json_key(writer, "name");
	zp_json_cstr(writer, resource->name);
	zp_json_key(writer, "provider");
	zp_json_cstr(writer, resource->provider);
	write_extra(writer, resource->extra);
	zp_json_key(writer, "instances");
	zp_json_begin_array(writer);
}

/* The usual case: a file that was read and is written again. */
static bool is_sorted(struct state_object *const *objects, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (object_order(&objects[i - 1], &objects[i]) > 0)
			return false;
	return true;
}

static void write_resources(struct zp_json_writer *writer, const struct state *state)
{
	struct state_object **sorted = zp_calloc(state->object_count, sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; i < state->object_count; i++)
		if (state->objects[i])
			sorted[count++] = state->objects[i];
	if (!is_sorted(sorted, count))
		qsort(sorted, count, sizeof(*sorted), object_order);
	zp_json_key(writer, "resources");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++) {
		if (!i || sorted[i]->resource != sorted[i - 1]->resource)
			begin_resource(writer, sorted[i]);
		write_object(writer, sorted[i]);
		if (i + 1 == count || sorted[i + 1]->resource != sorted[i]->resource) {
			zp_json_end_array(writer);
			zp_json_end_object(writer);
		}
	}
	zp_json_end_array(writer);
	free(sorted);
}

static void write_outputs(struct zp_json_writer *writer, const struct state *state)
{
	zp_json_key(writer, "outputs");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < state->output_count; i++) {
		const struct state_output *output = &state->outputs[i];
		zp_json_key(writer, output->name);
		zp_json_begin_object(writer);
		zp_json_key(writer, "value");
		state_json_copy(writer, output->value);
		zp_json_key(writer, "type");
		state_json_copy(writer, output->type);
		if (output->sensitive) {
			zp_json_key(writer, "sensitive");
			zp_json_bool(writer, true);
		}
		write_extra(writer, output->extra);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

void state_write(const struct state *state, struct zp_buf *out)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, true);
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "version");
	zp_json_int(&writer, STATE_FORMAT_VERSION);
	zp_json_key(&writer, "terraform_version");
	zp_json_cstr(&writer, STATE_TERRAFORM_VERSION);
	zp_json_key(&writer, "serial");
	zp_json_int(&writer, state->serial);
	zp_json_key(&writer, "lineage");
	zp_json_cstr(&writer, state->lineage);
	write_outputs(&writer, state);
	write_resources(&writer, state);
	zp_json_key(&writer, "check_results");
	state_json_copy(&writer, state->check_results.len ? state->check_results : ZP_STR("null"));
	write_extra(&writer, state->extra);
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
}
