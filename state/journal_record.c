#include "state/journal_record.h"

#include <stdio.h>
#include <zlib.h>

static uint32_t checksum(struct zp_str text)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)text.ptr, text.len);
}

void state_record_seal(struct zp_str json, struct zp_buf *line)
{
	zp_buf_printf(line, "%08x ", checksum(json));
	zp_buf_str(line, json);
	zp_buf_char(line, '\n');
}

bool state_record_open(struct zp_str line, struct zp_str *json)
{
	char expected[10];

	if (line.len < 11 || line.ptr[8] != ' ')
		return false;
	*json = zp_strn(line.ptr + 9, line.len - 9);
	snprintf(expected, sizeof(expected), "%08x", checksum(*json));
	return memcmp(expected, line.ptr, 8) == 0;
}

static void text_member(struct zp_json_writer *writer, const char *key, const char *text)
{
	if (!text)
		return;
	zp_json_key(writer, key);
	zp_json_cstr(writer, text);
}

/* Kept as a string, so that white space and newlines inside do not matter to the line. */
static void json_member(struct zp_json_writer *writer, const char *key, struct zp_str json)
{
	if (!json.len)
		return;
	zp_json_key(writer, key);
	zp_json_string(writer, json);
}

static void key_member(struct zp_json_writer *writer, struct state_key key)
{
	if (key.kind == STATE_NO_KEY)
		return;
	zp_json_key(writer, "key");
	if (key.kind == STATE_INT_KEY)
		zp_json_int(writer, key.number);
	else
		zp_json_string(writer, key.text);
}

static void names_member(struct zp_json_writer *writer, const char *key, const char *const *names,
	size_t count)
{
	if (!count)
		return;
	zp_json_key(writer, key);
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		zp_json_cstr(writer, names[i]);
	zp_json_end_array(writer);
}

void state_record_intent(struct zp_buf *json, uint64_t number, const struct state_intent *intent)
{
	static const char *const actions[] = { "create", "update", "delete", "forget" };
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, json, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "intent");
	zp_json_int(&writer, (int64_t)number);
	text_member(&writer, "action", actions[intent->action]);
	text_member(&writer, "address", intent->address);
	text_member(&writer, "deposed", intent->deposed);
	text_member(&writer, "replaced_as", intent->replaced_as);
	text_member(&writer, "identity", intent->identity);
	text_member(&writer, "module", intent->module);
	text_member(&writer, "type", intent->type);
	text_member(&writer, "name", intent->name);
	text_member(&writer, "provider", intent->provider);
	key_member(&writer, intent->key);
	zp_json_key(&writer, "schema_version");
	zp_json_int(&writer, intent->schema_version);
	json_member(&writer, "planned", intent->planned);
	json_member(&writer, "sensitive", intent->sensitive);
	names_member(&writer, "dependencies", intent->dependencies, intent->dependency_count);
	zp_json_end_object(&writer);
}

static void object_member(struct zp_json_writer *writer, const struct state_object *object)
{
	const struct state_resource *resource = object->resource;

	zp_json_key(writer, "object");
	zp_json_begin_object(writer);
	text_member(writer, "module", resource->module);
	text_member(writer, "mode", resource->mode == STATE_DATA ? "data" : "managed");
	text_member(writer, "type", resource->type);
	text_member(writer, "name", resource->name);
	text_member(writer, "provider", resource->provider);
	key_member(writer, object->key);
	text_member(writer, "deposed", object->deposed);
	zp_json_key(writer, "tainted");
	zp_json_bool(writer, object->tainted);
	zp_json_key(writer, "create_before_destroy");
	zp_json_bool(writer, object->create_before_destroy);
	zp_json_key(writer, "schema_version");
	zp_json_int(writer, object->schema_version);
	json_member(writer, "attributes", object->attributes);
	json_member(writer, "sensitive", object->sensitive_attributes);
	json_member(writer, "private", object->private_data);
	json_member(writer, "identity", object->identity);
	json_member(writer, "extra", object->extra);
	names_member(writer, "dependencies", object->dependencies, object->dependency_count);
	zp_json_end_object(writer);
}

void state_record_outcome(struct zp_buf *json, uint64_t number, bool failed,
	const struct state_object *object, const char *message)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, json, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, failed ? "failed" : "done");
	zp_json_int(&writer, (int64_t)number);
	text_member(&writer, "message", message);
	if (object)
		object_member(&writer, object);
	zp_json_end_object(&writer);
}
