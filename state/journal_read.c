#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "state/encryption.h"
#include "state/journal_record.h"
#include "state/state_internal.h"

#define MAX_JOURNAL_BYTES ((size_t)4 << 30)

ZP_VEC(entry_vec, struct state_replay_entry);

/* More intents than one run has. */
#define MAX_SETTLED (INT64_C(1) << 26)

struct replay_reader {
	struct state_replay *replay;
	struct entry_vec entries;
	struct zp_json json;
	size_t damaged_bytes; /* so far: more records than that cannot have been lost */
	const char *name;
	struct zp_error undeciphered; /* a record that is whole, but not for the key there is */
	int64_t settled; /* intents of former files, whose numbers leave gaps here */
	int64_t newer;	      /* the format of a header this version does not know, or 0 */
};

static const char *read_text(struct replay_reader *reader)
{
	struct zp_str text = { "", 0 };

	zp_json_read_string_arena(&reader->json, &reader->replay->arena, &text);
	return text.ptr;
}

static struct zp_str read_slice(struct replay_reader *reader)
{
	struct zp_str text = { "", 0 };

	zp_json_read_string_arena(&reader->json, &reader->replay->arena, &text);
	return text;
}

static struct state_key read_key(struct replay_reader *reader)
{
	struct state_key key = { 0 };

	if (zp_json_peek(&reader->json) == ZP_JSON_NUMBER) {
		key.kind = STATE_INT_KEY;
		zp_json_read_int(&reader->json, &key.number);
	} else {
		key.kind = STATE_STRING_KEY;
		key.text = read_slice(reader);
	}
	return key;
}

static const char *const *read_names(struct replay_reader *reader, size_t *count)
{
	ZP_VEC(, const char *) names = { 0 };

	for (zp_json_enter_array(&reader->json); zp_json_next_element(&reader->json);)
		zp_vec_push(&names, read_text(reader));
	const char **items = zp_vec_to_arena(&names, &reader->replay->arena);
	*count = names.count;
	zp_vec_release(&names);
	return items;
}

static enum state_action read_action(struct replay_reader *reader)
{
	const char *text = read_text(reader);

	return strcmp(text, "create") == 0 ? STATE_ACT_CREATE :
		strcmp(text, "update") == 0 ? STATE_ACT_UPDATE :
		strcmp(text, "delete") == 0 ? STATE_ACT_DELETE :
					      STATE_ACT_FORGET;
}

static void intent_member(struct replay_reader *reader, struct state_intent *intent, struct zp_str key)
{
	if (zp_str_is(key, "action"))
		intent->action = read_action(reader);
	else if (zp_str_is(key, "address"))
		intent->address = read_text(reader);
	else if (zp_str_is(key, "deposed"))
		intent->deposed = read_text(reader);
	else if (zp_str_is(key, "replaced_as"))
		intent->replaced_as = read_text(reader);
	else if (zp_str_is(key, "identity"))
		intent->identity = read_text(reader);
	else if (zp_str_is(key, "module"))
		intent->module = read_text(reader);
	else if (zp_str_is(key, "type"))
		intent->type = read_text(reader);
	else if (zp_str_is(key, "name"))
		intent->name = read_text(reader);
	else if (zp_str_is(key, "provider"))
		intent->provider = read_text(reader);
	else if (zp_str_is(key, "key"))
		intent->key = read_key(reader);
	else if (zp_str_is(key, "schema_version"))
		zp_json_read_int(&reader->json, &intent->schema_version);
	else if (zp_str_is(key, "planned"))
		intent->planned = read_slice(reader);
	else if (zp_str_is(key, "sensitive"))
		intent->sensitive = read_slice(reader);
	else if (zp_str_is(key, "dependencies"))
		intent->dependencies = read_names(reader, &intent->dependency_count);
	else
		zp_json_skip(&reader->json, NULL);
}

static void object_member(struct replay_reader *reader, struct state_object *object,
	struct state_resource *resource, struct zp_str key)
{
	if (zp_str_is(key, "module"))
		resource->module = read_text(reader);
	else if (zp_str_is(key, "mode"))
		resource->mode = strcmp(read_text(reader), "data") == 0 ? STATE_DATA : STATE_MANAGED;
	else if (zp_str_is(key, "type"))
		resource->type = read_text(reader);
	else if (zp_str_is(key, "name"))
		resource->name = read_text(reader);
	else if (zp_str_is(key, "provider"))
		resource->provider = read_text(reader);
	else if (zp_str_is(key, "key"))
		object->key = read_key(reader);
	else if (zp_str_is(key, "deposed"))
		object->deposed = read_text(reader);
	else if (zp_str_is(key, "tainted"))
		zp_json_read_bool(&reader->json, &object->tainted);
	else if (zp_str_is(key, "create_before_destroy"))
		zp_json_read_bool(&reader->json, &object->create_before_destroy);
	else if (zp_str_is(key, "schema_version"))
		zp_json_read_int(&reader->json, &object->schema_version);
	else if (zp_str_is(key, "attributes"))
		object->attributes = read_slice(reader);
	else if (zp_str_is(key, "sensitive"))
		object->sensitive_attributes = read_slice(reader);
	else if (zp_str_is(key, "private"))
		object->private_data = read_slice(reader);
	else if (zp_str_is(key, "identity"))
		object->identity = read_slice(reader);
	else if (zp_str_is(key, "extra"))
		object->extra = read_slice(reader);
	else if (zp_str_is(key, "dependencies"))
		object->dependencies = read_names(reader, &object->dependency_count);
	else
		zp_json_skip(&reader->json, NULL);
}

static struct state_object *read_object(struct replay_reader *reader)
{
	struct zp_arena *arena = &reader->replay->arena;
	struct state_object *object = zp_new(arena, struct state_object);
	struct state_resource *resource = zp_new(arena, struct state_resource);
	zp_autobuf address = ZP_BUF_INIT;
	struct zp_str key;

	*resource = (struct state_resource){ .module = "", .type = "", .name = "", .provider = "" };
	for (zp_json_enter_object(&reader->json); zp_json_next_key(&reader->json, &key);)
		object_member(reader, object, resource, key);
	state_address_text(resource->module, resource->mode, resource->type, resource->name,
		(struct state_key){ 0 }, &address);
	resource->address = zp_arena_strdup(arena, address.ptr);
	object->resource = resource;
	object->address = state_object_address(arena, resource, object->key);
	return object;
}

static bool read_header(struct replay_reader *reader, int64_t format)
{
	struct state_replay *replay = reader->replay;
	struct zp_str key;

	if (format != STATE_JOURNAL_FORMAT) {
		reader->newer = format;
		return false;
	}
	if (replay->lineage)
		return false;
	while (zp_json_next_key(&reader->json, &key)) {
		if (zp_str_is(key, "lineage") && !replay->lineage)
			replay->lineage = zp_strdup(read_text(reader));
		else if (zp_str_is(key, "serial"))
			zp_json_read_int(&reader->json, &replay->serial);
		else if (zp_str_is(key, "settled"))
			zp_json_read_int(&reader->json, &reader->settled);
		else
			zp_json_skip(&reader->json, NULL);
	}
	return !reader->json.error;
}

/* Makes entries up to this number. Only damage explains a gap, and only one of its size. */
static bool reach(struct replay_reader *reader, int64_t number)
{
	uint64_t gaps = reader->damaged_bytes +
		(reader->settled > 0 && reader->settled <= MAX_SETTLED ? (uint64_t)reader->settled : 0);

	if (number < 1 || (uint64_t)number > reader->entries.count + 1 + gaps)
		return false;
	while (reader->entries.count < (size_t)number)
		zp_vec_add(&reader->entries);
	return true;
}

static bool read_intent(struct replay_reader *reader, int64_t number)
{
	struct state_intent intent = { .module = "", .type = "", .name = "", .provider = "",
		.address = "" };
	struct zp_str key;

	while (zp_json_next_key(&reader->json, &key))
		intent_member(reader, &intent, key);
	if (reader->json.error || number <= (int64_t)reader->entries.count || !reach(reader, number))
		return false;
	reader->entries.items[number - 1].intent = intent;
	return true;
}

static bool read_outcome(struct replay_reader *reader, int64_t number, bool failed)
{
	struct state_object *object = NULL;
	struct zp_str key;

	while (zp_json_next_key(&reader->json, &key)) {
		if (zp_str_is(key, "object"))
			object = read_object(reader);
		else
			zp_json_skip(&reader->json, NULL);
	}
	if (reader->json.error || (number > (int64_t)reader->entries.count && !reader->damaged_bytes &&
						!reader->settled) ||
		!reach(reader, number))
		return false;
	struct state_replay_entry *entry = &reader->entries.items[number - 1];
	entry->done = true;
	entry->failed = failed;
	entry->object = object;
	return true;
}

/* The first member tells what kind of record it is. False when it makes no sense here. */
static bool read_record(struct replay_reader *reader, struct zp_str text)
{
	struct zp_json *json = &reader->json;
	struct zp_str key;
	int64_t number = 0;

	zp_json_init(json, text);
	if (!zp_json_enter_object(json) || !zp_json_next_key(json, &key))
		return false;
	bool header = zp_str_is(key, "journal"), intent = zp_str_is(key, "intent");
	bool done = zp_str_is(key, "done"), failed = zp_str_is(key, "failed");
	if (!zp_json_read_int(json, &number))
		return false;
	if (header)
		return read_header(reader, number);
	if (intent)
		return read_intent(reader, number);
	return (done || failed) && read_outcome(reader, number, failed);
}

/* Records are sealed as states are. The plain text is in scratch then. */
static bool unseal(struct replay_reader *reader, struct zp_str *json, struct zp_buf *scratch)
{
	static const char sealed[] = "{\"serial\":";

	if (!zp_str_starts(*json, sealed))
		return true;
	zp_buf_str(scratch, *json);
	if (state_encryption_open(STATE_ENCRYPT_STATE, scratch, reader->name, false,
		&reader->undeciphered) < 0)
		return false;
	*json = zp_buf_slice(scratch);
	return true;
}

/*
 * Every record stands for itself: one that is damaged costs that one, not those behind it, whose deeds
 * were done.
 */
static void read_lines(struct replay_reader *reader, struct zp_str text)
{
	size_t bad = 0;

	while (text.len && !reader->newer && !reader->undeciphered.message) {
		const char *newline = memchr(text.ptr, '\n', text.len);
		size_t length = newline ? (size_t)(newline - text.ptr) : text.len;
		struct zp_str json;
		zp_autobuf scratch = ZP_BUF_INIT;
		bool good = state_record_open(zp_strn(text.ptr, length), &json) &&
			unseal(reader, &json, &scratch) && read_record(reader, json);
		zp_json_release(&reader->json);
		reader->json = (struct zp_json){ 0 };
		if (good) {
			reader->replay->lost += bad;
			bad = 0;
		} else {
			reader->replay->truncated = true;
			reader->damaged_bytes += length;
			bad++;
		}
		length += newline != NULL;
		text.ptr += length;
		text.len -= length;
	}
}

int state_journal_parse(struct zp_str text, const char *name, struct state_replay **replay,
	struct zp_error *err)
{
	*replay = NULL;
	if (!text.len)
		return 0;
	struct replay_reader reader = { .replay = zp_calloc(1, sizeof(**replay)), .name = name };
	zp_arena_init(&reader.replay->arena);
	read_lines(&reader, text);
	reader.replay->entries = reader.entries.items;
	reader.replay->count = reader.entries.count;
	if (reader.undeciphered.message) {
		state_replay_free(reader.replay);
		zp_error_set(err, "%s", zp_error_text(&reader.undeciphered));
		zp_error_clear(&reader.undeciphered);
		return -1;
	}
	if (reader.newer) {
		state_replay_free(reader.replay);
		return zp_error_set(err,
			"journal %s was created by another version of zplan: its format is number "
			"%lld, and this one knows %d. Let the version that wrote it take over what "
			"was interrupted. The file was not changed.", name, (long long)reader.newer,
			STATE_JOURNAL_FORMAT);
	}
	if (!reader.replay->lineage)
		reader.replay->lineage = zp_strdup("");
	*replay = reader.replay;
	return 0;
}

int state_journal_read(const char *path, struct state_replay **replay, struct zp_error *err)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror failure = ZP_ERROR_INIT;

	*replay = NULL;
	if (zp_file_read(path, MAX_JOURNAL_BYTES, &text, &failure) < 0) {
		if (failure.code == ENOENT)
			return 0;
		return zp_error_set(err, "journal: %s", zp_error_text(&failure));
	}
	return state_journal_parse(zp_buf_slice(&text), path, replay, err);
}

void state_replay_free(struct state_replay *replay)
{
	if (!replay)
		return;
	free(replay->lineage);
	free(replay->entries);
	zp_arena_release(&replay->arena);
	free(replay);
}

static void take_over(struct state *state, const struct state_object *object)
{
	const struct state_resource *from = object->resource;
	struct state_object mine = *object;

	mine.resource = state_resource(state, from->module, from->mode, from->type, from->name,
		from->provider);
	state_set(state, &mine);
}

/*
 * The former object of a replacement that was created first goes out of the new one's way, unless the
 * state was stored after that and has it so already.
 */
static void make_room(struct state *state, const struct state_replay_entry *entry)
{
	const char *address = entry->object->address;
	const struct state_object *current = state_find(state, address, NULL);

	if (entry->intent.replaced_as && current &&
		!state_json_equal(current->attributes, entry->object->attributes))
		state_depose(state, address, entry->intent.replaced_as);
}

void state_replay_apply(const struct state_replay *replay, struct state *state)
{
	for (size_t i = 0; i < replay->count; i++) {
		const struct state_replay_entry *entry = &replay->entries[i];
		if (!entry->done)
			continue;
		if (entry->object) {
			make_room(state, entry);
			take_over(state, entry->object);
		} else if (!entry->failed && entry->intent.address) {
			state_remove(state, entry->intent.address, entry->intent.deposed);
		}
	}
}
