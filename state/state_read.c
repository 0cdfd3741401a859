/* Reading the version 4 document: one scan, values of attributes left as text. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/bytes.h"
#include "state/state_internal.h"

struct reader {
	struct zp_json json;
	struct state *state;
	struct zp_buf extra;   /* unknown members of the object being read, as "{...}" */
	const char *address;   /* what is being read, for messages; or NULL */
	const char *duplicate; /* an address met twice */
};

/* Other texts would come out changed when they are written. */
static void check_utf8(struct reader *reader, struct zp_str text)
{
	if (!hcl_is_utf8(text))
		zp_json_fail(&reader->json, "text that is not UTF-8");
}

static bool extra_add(struct reader *reader, struct zp_buf *extra, struct zp_str key)
{
	struct zp_str raw;
	zp_autobuf name = ZP_BUF_INIT;

	check_utf8(reader, key);
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

/* Consumes a null, which stands for an absent value. */
static bool is_null(struct reader *reader)
{
	return zp_json_peek(&reader->json) == ZP_JSON_NULL && zp_json_read_null(&reader->json);
}

/* Names and addresses are C strings from here on. */
static const char *checked_text(struct reader *reader, struct zp_str text)
{
	const char *copy = zp_arena_strndup(&reader->state->arena, text.ptr, text.len);

	if (memchr(copy, 0, text.len))
		zp_json_fail(&reader->json, "a NUL character where none can be");
	check_utf8(reader, text);
	return copy;
}

static const char *read_text(struct reader *reader)
{
	struct zp_str text;

	if (is_null(reader) || !zp_json_read_string(&reader->json, &text))
		return "";
	return checked_text(reader, text);
}

/* Numbers of versions: Terraform knows no negative ones. */
static void read_count(struct reader *reader, int64_t *number)
{
	if (zp_json_read_int(&reader->json, number) && *number < 0)
		zp_json_fail(&reader->json, "a negative number where none can be");
}

static void read_bool(struct reader *reader, bool *value)
{
	if (!is_null(reader))
		zp_json_read_bool(&reader->json, value);
}

static void read_dependencies(struct reader *reader, struct state_object *object)
{
	ZP_VEC(, const char *) names = { 0 };

	if (is_null(reader))
		return;
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
		check_utf8(reader, key->text);
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
	if (is_null(reader))
		return;
	if (zp_json_peek(&reader->json) != ZP_JSON_OBJECT)
		zp_json_fail(&reader->json, "attributes must be an object");
	zp_json_skip(&reader->json, &object->attributes);
}

static void read_status(struct reader *reader, struct state_object *object)
{
	const char *status = read_text(reader);

	object->tainted = strcmp(status, "tainted") == 0;
	if (*status && !object->tainted)
		zp_json_fail(&reader->json, "status can only be \"tainted\"");
}

static bool read_member(struct reader *reader, struct state_object *object, struct zp_str key,
	struct zp_buf *identity)
{
	struct zp_json *json = &reader->json;

	if (zp_str_is(key, "index_key"))
		read_key(reader, &object->key);
	else if (zp_str_is(key, "status"))
		read_status(reader, object);
	else if (zp_str_is(key, "deposed"))
		object->deposed = read_text(reader);
	else if (zp_str_is(key, "schema_version"))
		read_count(reader, &object->schema_version);
	else if (zp_str_is(key, "attributes"))
		read_attributes(reader, object);
	else if (zp_str_is(key, "sensitive_attributes"))
		zp_json_skip(json, &object->sensitive_attributes);
	else if (zp_str_is(key, "private"))
		object->private_data = zp_str(read_text(reader));
	else if (zp_str_is(key, "dependencies"))
		read_dependencies(reader, object);
	else if (zp_str_is(key, "create_before_destroy"))
		read_bool(reader, &object->create_before_destroy);
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
	zp_buf_clear(&reader->extra);
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
	if (state_index(reader->state, object)) {
		reader->duplicate = object->address;
		zp_json_fail(&reader->json, "the same address stands there twice");
	}
}

/* Members may come in any order: instances are read last, from their kept place. */
struct resource_members {
	const char *module, *mode, *type, *name, *provider;
	struct zp_str instances, extra;
};

static void read_resource_members(struct reader *reader, struct resource_members *members)
{
	zp_autobuf extra = ZP_BUF_INIT;
	struct zp_str key;

	for (zp_json_enter_object(&reader->json); zp_json_next_key(&reader->json, &key);) {
		if (zp_str_is(key, "module"))
			members->module = read_text(reader);
		else if (zp_str_is(key, "mode"))
			members->mode = read_text(reader);
		else if (zp_str_is(key, "type"))
			members->type = read_text(reader);
		else if (zp_str_is(key, "name"))
			members->name = read_text(reader);
		else if (zp_str_is(key, "provider"))
			members->provider = read_text(reader);
		else if (zp_str_is(key, "instances"))
			zp_json_skip(&reader->json, &members->instances);
		else
			extra_add(reader, &extra, key);
	}
	members->extra = extra_end(reader, &extra);
}

static void read_instances(struct reader *reader, const struct state_resource *resource,
	struct zp_str instances)
{
	struct zp_json outer = reader->json;
	size_t base = (size_t)(instances.ptr - outer.text.ptr);

	zp_json_init(&reader->json, zp_strn(outer.text.ptr, base + instances.len));
	reader->json.offset = base;
	if (!is_null(reader))
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

	read_resource_members(reader, &members);
	if (reader->json.error)
		return;
	bool data = strcmp(members.mode, "data") == 0;
	if (!*members.type || !*members.name || (!data && strcmp(members.mode, "managed") != 0)) {
		zp_json_fail(&reader->json, "a resource needs mode, type and name");
		return;
	}
	struct state_resource *resource = (struct state_resource *)state_resource(reader->state,
		members.module, data ? STATE_DATA : STATE_MANAGED, members.type, members.name,
		members.provider);
	if (members.extra.len)
		resource->extra = members.extra;
	reader->address = resource->address;
	if (members.instances.len)
		read_instances(reader, resource, members.instances);
	if (!reader->json.error)
		reader->address = NULL;
}

static void read_resources(struct reader *reader)
{
	if (is_null(reader))
		return;
	for (zp_json_enter_array(&reader->json); zp_json_next_element(&reader->json);)
		read_resource(reader);
}

static void read_output(struct reader *reader, struct state_output *output)
{
	struct zp_json *json = &reader->json;
	struct zp_str key;

	output->value = ZP_STR("null");
	output->type = ZP_STR("\"dynamic\"");
	zp_buf_clear(&reader->extra);
	for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "value"))
			zp_json_skip(json, &output->value);
		else if (zp_str_is(key, "type"))
			zp_json_skip(json, &output->type);
		else if (zp_str_is(key, "sensitive"))
			read_bool(reader, &output->sensitive);
		else
			extra_add(reader, &reader->extra, key);
	}
	output->extra = extra_end(reader, &reader->extra);
}

static void read_outputs(struct reader *reader)
{
	struct zp_str name;

	if (is_null(reader))
		return;
	for (zp_json_enter_object(&reader->json); zp_json_next_key(&reader->json, &name);) {
		const char *text = checked_text(reader, name);
		read_output(reader, state_output_slot(reader->state, text));
	}
}

static void read_document(struct reader *reader)
{
	struct zp_json *json = &reader->json;
	struct state *state = reader->state;
	zp_autobuf extra = ZP_BUF_INIT;
	struct zp_str key;
	int64_t version = -1;

	for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "version"))
			zp_json_read_int(json, &version);
		else if (zp_str_is(key, "terraform_version"))
			state->terraform_version = read_text(reader);
		else if (zp_str_is(key, "serial"))
			read_count(reader, &state->serial);
		else if (zp_str_is(key, "lineage"))
			state->lineage = read_text(reader);
		else if (zp_str_is(key, "outputs"))
			read_outputs(reader);
		else if (zp_str_is(key, "check_results"))
			zp_json_skip(json, &state->check_results);
		else if (zp_str_is(key, "resources"))
			read_resources(reader);
		else
			extra_add(reader, &extra, key);
	}
	state->extra = extra_end(reader, &extra);
	if (!json->error && !zp_json_at_end(json))
		zp_json_fail(json, "something follows the end of the document");
	if (version != STATE_FORMAT_VERSION)
		zp_json_fail(json, "it has no member \"version\", so it is no state");
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
			"%s was created by a newer version: its format is number %lld, and this "
			"zplan knows formats up to %d. Use the program that wrote it, or a newer "
			"zplan. The file was not changed.", name, (long long)version,
			STATE_FORMAT_VERSION);
	return zp_error_set(err,
		"%s is a state of format version %lld, which is too old to be read here. Let "
		"Terraform 1.x write it once (terraform refresh), which brings it to version %d. "
		"The file was not changed.", name, (long long)version, STATE_FORMAT_VERSION);
}

/* What to go back to, where such a thing can exist. */
static void advise(struct zp_buf *message, const char *name)
{
	if (zp_str_ends(zp_str(name), ".tfstate"))
		zp_buf_printf(message, " Restore it from a backup, such as %s.backup.", name);
	zp_buf_puts(message, " The file was not changed.");
}

static int damaged(const struct reader *reader, const char *name, struct zp_error *err)
{
	const struct zp_json *json = &reader->json;
	bool ended = json->offset >= json->text.len || strcmp(json->error, "unterminated string") == 0;
	zp_autobuf message = ZP_BUF_INIT;
	size_t line = 1, column = 1;

	for (size_t i = 0; i < json->offset && i < json->text.len; i++) {
		column = json->text.ptr[i] == '\n' ? 1 : column + 1;
		line += json->text.ptr[i] == '\n';
	}
	zp_buf_printf(&message, "%s is damaged: ", name);
	if (reader->duplicate)
		zp_buf_printf(&message, "%s stands there twice", reader->duplicate);
	else
		zp_buf_printf(&message, "%s%s%s", json->error,
			ended && !strstr(json->error, "version") ? ", where the text ends" : "",
			reader->address ? ", in " : "");
	if (!reader->duplicate && reader->address)
		zp_buf_puts(&message, reader->address);
	zp_buf_printf(&message, " (line %zu, column %zu).", line, column);
	advise(&message, name);
	return zp_error_set(err, "%s", message.ptr);
}

static bool is_blank(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.ptr[i]) || !text.ptr[i])
			return false;
	return true;
}

struct state *state_parse_take(struct zp_buf *text, const char *name, struct zp_error *err)
{
	zp_autobuf mine = *text;

	*text = (struct zp_buf)ZP_BUF_INIT;
	if (is_blank(zp_buf_slice(&mine)))
		return state_new();
	if (check_version(zp_buf_slice(&mine), name, err) < 0)
		return NULL;
	struct reader reader = { .state = state_allocate() };
	reader.state->text = zp_buf_slice(&mine);
	mine = (struct zp_buf)ZP_BUF_INIT;
	zp_json_init(&reader.json, reader.state->text);
	read_document(&reader);
	bool whole = !reader.json.error;
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

struct state *state_parse(struct zp_str text, const char *name, struct zp_error *err)
{
	zp_autobuf copy = ZP_BUF_INIT;

	zp_buf_str(&copy, text);
	return state_parse_take(&copy, name, err);
}
