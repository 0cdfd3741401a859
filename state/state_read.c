#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "state/state_internal.h"

struct reader {
	struct zp_json json;
	struct state *state;
	struct zp_buf extra; /* unknown members of the object being read, as "{...}" */
	const char *duplicate; /* an address met twice */
};

static void extra_begin(struct zp_buf *extra)
{
	zp_buf_clear(extra);
}

static bool extra_add(struct reader *reader, struct zp_buf *extra, struct zp_str key)
{
	struct zp_str raw;
	zp_autobuf name = ZP_BUF_INIT;

	zp_json_quote(&name, key, false);
	if (!zp_json_skip(&reader->json, &raw))
		return false;
	zp_buf_char(extra, extra->len ? ',' : '{');
	zp_buf_str(extra, zp_buf_slice(&name));
	zp_buf_char(extra, ':');
	zp_buf_str(extra, raw);
	return true;
}

static struct zp_str extra_end(struct reader *reader, struct zp_buf *extra)
{
	if (!extra->len)
		return (struct zp_str){ 0 };
	zp_buf_char(extra, '}');
	return zp_arena_str(&reader->state->arena, zp_buf_slice(extra));
}

static const char *read_text(struct reader *reader)
{
	struct zp_str text = { "", 0 };

	if (zp_json_peek(&reader->json) == ZP_JSON_NULL) {
		zp_json_read_null(&reader->json);
		return "";
	}
	zp_json_read_string_arena(&reader->json, &reader->state->arena, &text);
	return text.ptr;
}

static void read_dependencies(struct reader *reader, struct state_object *object)
{
	ZP_VEC(, const char *) names = { 0 };

	if (zp_json_peek(&reader->json) == ZP_JSON_NULL) {
		zp_json_read_null(&reader->json);
		return;
	}
	for (zp_json_enter_array(&reader->json); zp_json_next_element(&reader->json);)
		zp_vec_push(&names, read_text(reader));
	object->dependencies = (const char *const *)zp_vec_to_arena(&names, &reader->state->arena);
	object->dependency_count = names.count;
	zp_vec_release(&names);
}

static void read_key(struct reader *reader, struct state_key *key)
{
	switch (zp_json_peek(&reader->json)) {
	case ZP_JSON_NUMBER:
		key->kind = STATE_INT_KEY;
		zp_json_read_int(&reader->json, &key->number);
		break;
	case ZP_JSON_STRING:
		key->kind = STATE_STRING_KEY;
		zp_json_read_string_arena(&reader->json, &reader->state->arena, &key->text);
		break;
	case ZP_JSON_NULL:
		zp_json_read_null(&reader->json);
		break;
	default:
		zp_json_fail(&reader->json, "index_key must be a number or a string");
	}
}

static void read_attributes(struct reader *reader, struct state_object *object)
{
	if (zp_json_peek(&reader->json) == ZP_JSON_NULL)
		zp_json_read_null(&reader->json);
	else if (zp_json_peek(&reader->json) != ZP_JSON_OBJECT)
		zp_json_fail(&reader->json, "attributes must be an object");
	else
		zp_json_skip(&reader->json, &object->attributes);
}

static bool read_member(struct reader *reader, struct state_object *object, struct zp_str key,
	struct zp_buf *identity)
{
	struct zp_json *json = &reader->json;

	if (zp_str_is(key, "index_key"))
		read_key(reader, &object->key);
	else if (zp_str_is(key, "status"))
		object->tainted = strcmp(read_text(reader), "tainted") == 0;
	else if (zp_str_is(key, "deposed"))
		object->deposed = read_text(reader);
	else if (zp_str_is(key, "schema_version"))
		zp_json_read_int(json, &object->schema_version);
	else if (zp_str_is(key, "attributes"))
		read_attributes(reader, object);
	else if (zp_str_is(key, "sensitive_attributes"))
		zp_json_skip(json, &object->sensitive_attributes);
	else if (zp_str_is(key, "private"))
		object->private_data = zp_str(read_text(reader));
	else if (zp_str_is(key, "dependencies"))
		read_dependencies(reader, object);
	else if (zp_str_is(key, "create_before_destroy"))
		zp_json_read_bool(json, &object->create_before_destroy);
	else if (zp_str_is(key, "identity") || zp_str_is(key, "identity_schema_version"))
		extra_add(reader, identity, key);
	else
		extra_add(reader, &reader->extra, key);
	return !json->error;
}

static void read_instance(struct reader *reader, const struct state_resource *resource)
{
	struct state_object *object = zp_new(&reader->state->arena, struct state_object);
	zp_autobuf identity = ZP_BUF_INIT;
	struct zp_str key;

	object->resource = resource;
	extra_begin(&reader->extra);
	for (zp_json_enter_object(&reader->json); zp_json_next_key(&reader->json, &key);)
		if (!read_member(reader, object, key, &identity))
			return;
	if (reader->json.error)
		return;
	if (object->deposed && !*object->deposed)
		object->deposed = NULL;
	object->identity = extra_end(reader, &identity);
	object->extra = extra_end(reader, &reader->extra);
	object->address = state_object_address(&reader->state->arena, resource, object->key);
	if (state_find(reader->state, object->address, object->deposed)) {
		reader->duplicate = object->address;
		zp_json_fail(&reader->json, "the same address stands there twice");
		return;
	}
	state_index(reader->state, object);
}

/* Members may come in any order: instances are read last, from their kept place. */
struct resource_members {
	const char *module, *mode, *type, *name, *provider;
	struct zp_str instances;
	struct zp_str extra;
};

static bool read_resource_members(struct reader *reader, struct resource_members *members)
{
	const struct {
		const char *name;
		const char **target;
	} texts[] = {
		{ "module", &members->module }, { "mode", &members->mode },
		{ "type", &members->type },	{ "name", &members->name },
		{ "provider", &members->provider },
	};
	zp_autobuf extra = ZP_BUF_INIT;
	struct zp_str key;

	for (zp_json_enter_object(&reader->json); zp_json_next_key(&reader->json, &key);) {
		bool known = false;
		for (size_t i = 0; i < ZP_ARRAY_SIZE(texts) && !known; i++) {
			if (!zp_str_is(key, texts[i].name))
				continue;
			*texts[i].target = read_text(reader);
			known = true;
		}
		if (zp_str_is(key, "instances"))
			zp_json_skip(&reader->json, &members->instances);
		else if (!known)
			extra_add(reader, &extra, key);
	}
	members->extra = extra_end(reader, &extra);
	return !reader->json.error;
}

static void read_instances(struct reader *reader, const struct state_resource *resource,
	struct zp_str instances)
{
	struct zp_json outer = reader->json;
	size_t base = (size_t)(instances.ptr - outer.text.ptr);

	zp_json_init(&reader->json, zp_strn(outer.text.ptr, base + instances.len));
	reader->json.offset = base;
	for (zp_json_enter_array(&reader->json); zp_json_next_element(&reader->json);)
		read_instance(reader, resource);
	if (reader->json.error) {
		outer.error = reader->json.error;
		outer.offset = reader->json.offset;
	}
	zp_json_release(&reader->json);
	reader->json = outer;
}

static void read_resource(struct reader *reader)
{
	struct resource_members members = { .module = "", .mode = "", .type = "", .name = "",
		.provider = "" };

	if (!read_resource_members(reader, &members))
		return;
	bool data = strcmp(members.mode, "data") == 0;
	if (!*members.type || !*members.name || (!data && strcmp(members.mode, "managed") != 0)) {
		zp_json_fail(&reader->json, "a resource needs mode, type and name");
		return;
	}
	struct state_resource *resource = (struct state_resource *)state_resource(reader->state,
		members.module, data ? STATE_DATA : STATE_MANAGED, members.type, members.name,
		members.provider);
	resource->extra = members.extra;
	if (members.instances.len)
		read_instances(reader, resource, members.instances);
}

static void read_outputs(struct reader *reader)
{
	struct zp_json *json = &reader->json;
	struct zp_str name, key;

	for (zp_json_enter_object(json); zp_json_next_key(json, &name);) {
		struct zp_str value = ZP_STR("null"), type = ZP_STR("\"dynamic\"");
		bool sensitive = false;
		const char *text = zp_arena_strndup(&reader->state->arena, name.ptr, name.len);
		for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
			if (zp_str_is(key, "value"))
				zp_json_skip(json, &value);
			else if (zp_str_is(key, "type"))
				zp_json_skip(json, &type);
			else if (zp_str_is(key, "sensitive"))
				zp_json_read_bool(json, &sensitive);
			else
				zp_json_skip(json, NULL);
		}
		if (json->error)
			return;
		state_set_output(reader->state, text, value, type, sensitive);
	}
}

static void read_document(struct reader *reader)
{
	struct zp_json *json = &reader->json;
	struct state *state = reader->state;
	zp_autobuf extra = ZP_BUF_INIT;
	struct zp_str key;
	int64_t version;

	for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "version"))
			zp_json_read_int(json, &version);
		else if (zp_str_is(key, "terraform_version"))
			state->terraform_version = read_text(reader);
		else if (zp_str_is(key, "serial"))
			zp_json_read_int(json, &state->serial);
		else if (zp_str_is(key, "lineage"))
			state->lineage = read_text(reader);
		else if (zp_str_is(key, "outputs"))
			read_outputs(reader);
		else if (zp_str_is(key, "check_results"))
			zp_json_skip(json, &state->check_results);
		else if (zp_str_is(key, "resources"))
			for (zp_json_enter_array(json); zp_json_next_element(json);)
				read_resource(reader);
		else
			extra_add(reader, &extra, key);
	}
	state->extra = extra_end(reader, &extra);
	if (!json->error && !zp_json_at_end(json))
		zp_json_fail(json, "something follows the end of the document");
}

/* The format's version, before anything else is trusted; -1 when there is none. */
static int64_t format_version(struct zp_str text)
{
	struct zp_json json;
	struct zp_str key;
	int64_t version = -1;

	zp_json_init(&json, text);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		if (zp_str_is(key, "version")) {
			zp_json_read_int(&json, &version);
			break;
		}
		zp_json_skip(&json, NULL);
	}
	zp_json_release(&json);
	return version;
}

static int check_version(struct zp_str text, const char *name, struct zp_error *err)
{
	int64_t version = format_version(text);

	if (version == STATE_FORMAT_VERSION || version == -1)
		return 0;
	if (version > STATE_FORMAT_VERSION)
		return zp_error_set(err,
			"%s is a state of format version %lld, and this zplan knows versions up to "
			"%d. A newer program wrote it; use that one, or a newer zplan. The file was "
			"not changed.", name, (long long)version, STATE_FORMAT_VERSION);
	return zp_error_set(err,
		"%s is a state of format version %lld, which is too old to be read here. Let "
		"Terraform 1.x write it once (terraform refresh), which brings it to version %d. "
		"The file was not changed.", name, (long long)version, STATE_FORMAT_VERSION);
}

static int damaged(const struct reader *reader, const char *name, struct zp_error *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < reader->json.offset && i < reader->json.text.len; i++) {
		column = reader->json.text.ptr[i] == '\n' ? 1 : column + 1;
		line += reader->json.text.ptr[i] == '\n';
	}
	if (reader->duplicate)
		return zp_error_set(err, "%s is damaged: %s stands there twice (line %zu). Remove one "
			"of the two, or restore a backup. The file was not changed.", name,
			reader->duplicate, line);
	return zp_error_set(err, "%s is damaged: %s (line %zu, column %zu). Restore it from a backup, "
		"such as %s.backup. The file was not changed.", name,
		reader->json.error ? reader->json.error : "it is no state", line, column, name);
}

static bool is_blank(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.ptr[i]) || !text.ptr[i])
			return false;
	return true;
}

struct state *state_parse(struct zp_str text, const char *name, struct zp_error *err)
{
	if (is_blank(text))
		return state_new();
	if (check_version(text, name, err) < 0)
		return NULL;
	struct reader reader = { .state = state_allocate() };
	reader.state->text = zp_strn(zp_strndup(text.ptr, text.len), text.len);
	zp_json_init(&reader.json, reader.state->text);
	read_document(&reader);
	bool whole = !reader.json.error && format_version(text) == STATE_FORMAT_VERSION;
	if (!whole)
		damaged(&reader, name, err);
	zp_json_release(&reader.json);
	zp_buf_release(&reader.extra);
	if (!whole) {
		state_free(reader.state);
		return NULL;
	}
	return reader.state;
}
