/*
 * Plan files. A file holds what a plan was made from - configuration, variables, the state as it was and
 * as refresh found it, data sources' answers, the time - and what it decided: every action with the values
 * planned. Loading plans once more from the very same inputs, without looking at the world, and compares:
 * what would be done must be what was approved, or the file is refused.
 *
 * Format: eight bytes of signature, then one JSON document, deflated (RFC 1950).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "hcl-lite/codec.h"
#include "planner/engine.h"
#include "state/address.h"
#include "state/encryption.h"

#define SIGNATURE "ZPLAN01\n"
#define SIGNATURE_LENGTH 8
#define MAX_FILE ((size_t)2 << 30)
#define MAX_DOCUMENT ((size_t)4 << 30)

static void write_files(struct zp_json_writer *writer, const struct plan_config *config)
{
	zp_json_key(writer, "files");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < config->file_count; i++) {
		if (!config->files[i].path)
			continue; /* the value of a variable */
		zp_json_key(writer, config->files[i].path);
		zp_json_string(writer, config->files[i].source->text);
	}
	zp_json_end_object(writer);
}

static void write_variables(struct zp_json_writer *writer, const struct plan *plan)
{
	const struct plan_module *root = plan->config->root;

	zp_json_key(writer, "variables");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < root->variable_count; i++) {
		struct hcl_value value = plan->given_values[i];
		if (!value.type || root->variables[i]->ephemeral || !hcl_is_wholly_known(value))
			continue;
		zp_json_key(writer, root->variables[i]->name);
		hcl_value_to_json(writer, value, hcl_dynamic);
	}
	zp_json_end_object(writer);
}

static void write_state(struct zp_json_writer *writer, const char *key, const struct state *state)
{
	zp_autobuf text = ZP_BUF_INIT;

	state_write(state, &text);
	zp_json_key(writer, key);
	zp_json_string(writer, zp_buf_slice(&text));
}

static void write_data(struct zp_json_writer *writer, const struct plan *plan)
{
	zp_json_key(writer, "data");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < plan->instances.count; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		const struct plan_resource *config = instance->resource->config;
		if (config->mode != PLAN_DATA || instance->planned.state != HCL_KNOWN ||
			(instance->action == PLAN_READ && !config->in_check))
			continue;
		if (!instance->read_failure && !hcl_is_wholly_known(instance->planned))
			continue;
		zp_json_key(writer, instance->address);
		if (instance->read_failure) /* the reason in place of an object */
			zp_json_cstr(writer, instance->read_failure);
		else
			hcl_value_to_json(writer, instance->planned, config->resource_type->schema->type);
	}
	zp_json_end_object(writer);
}

/* What is compared on loading: action and values, unknown parts apart. */
static void change_text(const struct plan_change *change, struct zp_buf *out)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	zp_json_begin_array(&writer);
	zp_json_int(&writer, change->action);
	zp_json_cstr(&writer, change->address);
	zp_json_cstr(&writer, change->deposed ? change->deposed : "");
	if (hcl_is_null(change->after))
		zp_json_null(&writer);
	else
		hcl_value_to_json(&writer, change->after, NULL);
	hcl_unknown_to_json(&writer, change->after);
	zp_json_end_array(&writer);
}

static void write_changes(struct zp_json_writer *writer, const struct plan *plan)
{
	zp_json_key(writer, "changes");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < plan->changes.count; i++) {
		zp_autobuf text = ZP_BUF_INIT;
		change_text(&plan->changes.items[i], &text);
		zp_json_raw(writer, zp_buf_slice(&text));
	}
	zp_json_end_array(writer);
}

static void write_addresses(struct zp_json_writer *writer, const char *key,
	const struct state_address *addresses, size_t count)
{
	zp_json_key(writer, key);
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		zp_json_cstr(writer, addresses[i].text);
	zp_json_end_array(writer);
}

static void write_drift(struct zp_json_writer *writer, const struct plan *plan)
{
	zp_json_key(writer, "drift");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < plan->drifts.count; i++) {
		const struct plan_change *change = &plan->drifts.items[i].change;
		zp_json_begin_array(writer);
		zp_json_cstr(writer, change->address);
		zp_json_cstr(writer, change->deposed ? change->deposed : "");
		zp_json_end_array(writer);
	}
	zp_json_end_array(writer);
}

static void write_identities(struct zp_json_writer *writer, const struct plan *plan)
{
	zp_json_key(writer, "identities");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < plan->instances.count; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		if (!instance->identity)
			continue;
		zp_json_key(writer, instance->address);
		zp_json_cstr(writer, instance->identity);
	}
	zp_json_end_object(writer);
}

static void write_document(const struct plan *plan, struct zp_buf *out)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "zplan");
	zp_json_cstr(&writer, ZPLAN_VERSION);
	zp_json_key(&writer, "kind");
	zp_json_int(&writer, plan->kind);
	zp_json_key(&writer, "refreshed");
	zp_json_int(&writer, plan->refreshed);
	zp_json_key(&writer, "workspace");
	zp_json_cstr(&writer, plan->workspace);
	zp_json_key(&writer, "dir");
	zp_json_cstr(&writer, plan->config->root->dir);
	zp_json_key(&writer, "created");
	zp_json_cstr(&writer, plan->created);
	write_addresses(&writer, "targets", plan->targets, plan->target_count);
	write_addresses(&writer, "excludes", plan->excludes, plan->exclude_count);
	zp_json_key(&writer, "replace");
	zp_json_begin_array(&writer);
	for (size_t i = 0; i < plan->replace_count; i++)
		zp_json_cstr(&writer, plan->replaces[i]);
	zp_json_end_array(&writer);
	write_files(&writer, plan->config);
	write_variables(&writer, plan);
	write_state(&writer, "stored", plan->stored);
	write_state(&writer, "prior", plan->prior);
	write_drift(&writer, plan);
	write_data(&writer, plan);
	write_identities(&writer, plan);
	write_changes(&writer, plan);
	zp_json_end_object(&writer);
}

int plan_save(const struct plan *plan, const char *path, struct zp_error *err)
{
	zp_autobuf document = ZP_BUF_INIT, file = ZP_BUF_INIT;

	write_document(plan, &document);
	uLongf room = compressBound(document.len);
	uint64_t length = document.len;
	zp_buf_add(&file, SIGNATURE, SIGNATURE_LENGTH);
	zp_buf_add(&file, &length, sizeof(length));
	zp_buf_reserve(&file, room);
	if (compress2((Bytef *)file.ptr + file.len, &room, (const Bytef *)document.ptr, document.len,
		    6) != Z_OK)
		return zp_error_set(err, "compressing the plan failed");
	file.len += room;
	zp_autobuf sealed = ZP_BUF_INIT;
	if (state_encryption_close(STATE_ENCRYPT_PLAN, NULL, zp_buf_slice(&file), &sealed, err) < 0)
		return -1;
	return zp_file_write_atomic(path, zp_buf_slice(&sealed), 0600, err);
}

/* A sealed file without lineage is a plan: states have one. */
bool plan_file_probe(const char *path)
{
	static const char sealed[] = "{\"serial\":0,\"lineage\":\"\",\"meta\":";
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[sizeof(sealed) - 1];
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

	return n == (ssize_t)sizeof(head) && (memcmp(head, SIGNATURE, SIGNATURE_LENGTH) == 0 ||
		memcmp(head, sealed, sizeof(head)) == 0);
}

static int inflate_file(const char *path, struct zp_buf *document, struct zp_error *err)
{
	zp_autobuf file = ZP_BUF_INIT;
	uint64_t length;

	if (zp_file_read(path, MAX_FILE, &file, err) < 0 ||
		state_encryption_open(STATE_ENCRYPT_PLAN, &file, path, true, err) < 0)
		return -1;
	if (file.len < SIGNATURE_LENGTH + sizeof(length) ||
		memcmp(file.ptr, SIGNATURE, SIGNATURE_LENGTH) != 0)
		return zp_error_set(err, "%s is no plan file of this version of zplan", path);
	memcpy(&length, file.ptr + SIGNATURE_LENGTH, sizeof(length));
	if (length > MAX_DOCUMENT)
		return zp_error_set(err, "%s is damaged", path);
	zp_buf_reserve(document, length);
	uLongf got = length;
	size_t head = SIGNATURE_LENGTH + sizeof(length);
	if (uncompress((Bytef *)document->ptr, &got, (const Bytef *)file.ptr + head,
		    file.len - head) != Z_OK || got != length)
		return zp_error_set(err, "%s is damaged", path);
	document->len = length;
	document->ptr[length] = 0;
	return 0;
}

/* The document taken apart; slices of it, or in the arena. */
ZP_VEC(text_vec, const char *);

struct saved {
	struct zp_arena arena;
	struct zp_map files; /* path -> struct zp_str * */
	int64_t kind, refreshed;
	struct zp_str workspace, dir, created, stored, prior;
	struct zp_str variables, data, identities, changes, drift; /* raw JSON */
	struct text_vec replaces, targets, excludes;
};

static void read_saved_files(struct saved *saved, struct zp_json *json)
{
	struct zp_str path, text;

	for (zp_json_enter_object(json); zp_json_next_key(json, &path);) {
		struct zp_str *copy = zp_new(&saved->arena, struct zp_str);
		struct zp_str name = zp_arena_str(&saved->arena, path);
		if (zp_json_read_string_arena(json, &saved->arena, &text)) {
			*copy = text;
			zp_map_set(&saved->files, name, copy);
		}
	}
}

static void read_texts(struct saved *saved, struct zp_json *json, struct text_vec *texts)
{
	struct zp_str text;

	for (zp_json_enter_array(json); zp_json_next_element(json);)
		if (zp_json_read_string_arena(json, &saved->arena, &text))
			zp_vec_push(texts, text.ptr);
}

static bool read_saved(struct saved *saved, struct zp_str document)
{
	const struct {
		const char *name;
		struct zp_str *target;
		bool raw;
	} members[] = {
		{ "workspace", &saved->workspace, false }, { "dir", &saved->dir, false },
		{ "created", &saved->created, false },	   { "stored", &saved->stored, false },
		{ "prior", &saved->prior, false },	   { "variables", &saved->variables, true },
		{ "data", &saved->data, true },		   { "identities", &saved->identities, true },
		{ "changes", &saved->changes, true },	   { "drift", &saved->drift, true },
	};
	struct zp_json json;
	struct zp_str key;

	zp_json_init(&json, document);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		bool known = false;
		for (size_t i = 0; i < ZP_ARRAY_SIZE(members) && !known; i++) {
			if (!zp_str_is(key, members[i].name))
				continue;
			known = true;
			if (members[i].raw)
				zp_json_skip(&json, members[i].target);
			else
				zp_json_read_string_arena(&json, &saved->arena, members[i].target);
		}
		if (known)
			continue;
		if (zp_str_is(key, "kind"))
			zp_json_read_int(&json, &saved->kind);
		else if (zp_str_is(key, "refreshed"))
			zp_json_read_int(&json, &saved->refreshed);
		else if (zp_str_is(key, "files"))
			read_saved_files(saved, &json);
		else if (zp_str_is(key, "replace"))
			read_texts(saved, &json, &saved->replaces);
		else if (zp_str_is(key, "targets"))
			read_texts(saved, &json, &saved->targets);
		else if (zp_str_is(key, "excludes"))
			read_texts(saved, &json, &saved->excludes);
		else
			zp_json_skip(&json, NULL);
	}
	bool ok = !json.error && saved->stored.len && saved->prior.len && saved->changes.len;
	zp_json_release(&json);
	return ok;
}

static void saved_release(struct saved *saved)
{
	zp_map_release(&saved->files);
	zp_vec_release(&saved->replaces);
	zp_vec_release(&saved->targets);
	zp_vec_release(&saved->excludes);
	zp_arena_release(&saved->arena);
}

/* The configuration's files as they were. */
struct saved_reader {
	struct plan_file_reader reader;
	const struct saved *saved;
};

static char **list_saved(struct plan_file_reader *reader, const char *dir, struct zp_error *err)
{
	const struct saved *saved = ((struct saved_reader *)reader)->saved;
	ZP_VEC(, char *) names = { 0 };
	zp_autofree char *prefix = zp_path_join(dir, "x");
	size_t length = strlen(prefix) - 1;

	(void)err;
	for (size_t i = 0; i < saved->files.count; i++) {
		struct zp_str path = saved->files.entries[i].key;
		if (path.len > length && memcmp(path.ptr, prefix, length) == 0 &&
			!memchr(path.ptr + length, '/', path.len - length))
			zp_vec_push(&names, zp_strndup(path.ptr + length, path.len - length));
	}
	zp_vec_push(&names, NULL);
	return names.items;
}

static struct zp_source *read_saved_source(struct plan_file_reader *reader, const char *path,
	struct zp_error *err)
{
	const struct saved *saved = ((struct saved_reader *)reader)->saved;
	const struct zp_str *text = zp_map_get(&saved->files, zp_str(path));

	if (!text) {
		zp_error_set(err, "%s is not in the plan file", path);
		return NULL;
	}
	return zp_source_new(path, *text);
}

static void take_variables(struct plan *plan, const struct saved *saved)
{
	const struct plan_module *root = plan->config->root;
	struct zp_json json;
	struct zp_str name;

	plan->root_values = zp_new_array(&plan->arena, struct hcl_value, root->variable_count);
	plan->given_values = zp_new_array(&plan->arena, struct hcl_value, root->variable_count);
	zp_json_init(&json, saved->variables);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &name);) {
		const struct plan_variable *variable = zp_map_get(&root->variable_map, name);
		struct hcl_value value;
		if (!hcl_value_from_json(&json, &plan->arena, hcl_dynamic, &value) || !variable)
			continue;
		plan->given_values[variable->index] = value;
		plan->root_values[variable->index] =
			plan_variable_value(plan, plan->root, variable, value, NULL);
	}
	zp_json_release(&json);
	for (size_t i = 0; i < root->variable_count; i++)
		if (!plan->root_values[i].type)
			plan->root_values[i] = plan_variable_value(plan, plan->root,
				root->variables[i], hcl_unknown(hcl_dynamic), NULL);
}

/* Address -> raw JSON of a map; in the plan's arena, for the life of the plan. */
static void take_texts(struct plan *plan, struct zp_map *map, struct zp_str raw_map)
{
	struct zp_json json;
	struct zp_str key, raw;

	zp_json_init(&json, raw_map);
	for (bool more = zp_json_enter_object(&json); more && zp_json_next_key(&json, &key);) {
		struct zp_str name = zp_arena_str(&plan->arena, key);
		if (!zp_json_skip(&json, &raw))
			break;
		struct zp_str *copy = zp_new(&plan->arena, struct zp_str);
		*copy = zp_arena_str(&plan->arena, raw);
		zp_map_set(map, name, copy);
	}
	zp_json_release(&json);
}

/* Drift is told by the two states: the values as they were, and as they were found. */
static void take_drift(struct plan *plan, const struct saved *saved)
{
	struct zp_json json;
	struct zp_str address, deposed;

	zp_json_init(&json, saved->drift);
	for (bool more = zp_json_enter_array(&json); more && zp_json_next_element(&json);) {
		zp_json_enter_array(&json);
		if (!zp_json_next_element(&json) ||
			!zp_json_read_string_arena(&json, &plan->arena, &address) ||
			!zp_json_next_element(&json) ||
			!zp_json_read_string_arena(&json, &plan->arena, &deposed))
			break;
		zp_json_next_element(&json);
		plan_restore_drift(plan, address.ptr, deposed.len ? deposed.ptr : NULL);
	}
	zp_json_release(&json);
}

static bool same_changes(struct plan *plan, struct zp_str saved)
{
	zp_autobuf now = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &now, false);
	zp_json_begin_object(&writer);
	write_changes(&writer, plan);
	zp_json_end_object(&writer);
	/* {"changes":[...]} around the array */
	size_t head = strlen("{\"changes\":");
	return now.len == head + saved.len + 1 && memcmp(now.ptr + head, saved.ptr, saved.len) == 0;
}

static void free_config(void *config)
{
	plan_config_free(config);
}

/* The sources go with the plan that is given up: what was said of it stays without a place. */
static void forget_places(struct zp_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		diags->items[i]->subject = diags->items[i]->context = ZP_NOWHERE;
}

static struct plan *rebuild(struct saved *saved, struct node_pool *nodes, struct plan_hooks *hooks,
	struct zp_diags *diags)
{
	struct saved_reader reader = { { list_saved, read_saved_source }, saved };
	struct plan_config_options config_options = { .dir = saved->dir.ptr, .reader = &reader.reader };
	struct plan_config *config = plan_config_load(&config_options, diags);
	struct plan_options options = { .kind = (enum plan_kind)saved->kind,
		.workspace = saved->workspace.ptr, .working_dir = ".", .nodes = nodes, .hooks = hooks,
		.replaces = saved->replaces.items, .replace_count = saved->replaces.count,
		.targets = saved->targets.items, .target_count = saved->targets.count,
		.excludes = saved->excludes.items, .exclude_count = saved->excludes.count };
	struct plan *plan = plan_new(config, &options, diags);
	zp_autoerror err = ZP_ERROR_INIT;

	/* What is said about it may be shown after the plan is gone. */
	zp_diags_own(diags, free_config, config);
	plan->created = zp_arena_strdup(&plan->arena, saved->created.ptr);
	plan->stored = state_parse(saved->stored, "the plan file's state", &err);
	plan->prior = state_parse(saved->prior, "the plan file's state", &err);
	plan->loaded = true;
	plan->refreshed = saved->refreshed;
	if (diags->errors || !plan->stored || !plan->prior) {
		forget_places(diags);
		plan_free(plan);
		return NULL;
	}
	plan->root = plan_module_instance(plan, config->root, NULL, NULL, (struct state_key){ 0 },
		hcl_null(hcl_dynamic));
	plan_take_replaces(plan, &options);
	plan_take_targets(plan, &options);
	take_variables(plan, saved);
	take_texts(plan, &plan->saved_data, saved->data);
	take_texts(plan, &plan->saved_identities, saved->identities);
	take_drift(plan, saved);
	plan_build(plan);
	return plan;
}

struct plan *plan_load(const char *path, struct node_pool *nodes, struct plan_hooks *hooks,
	struct zp_diags *diags)
{
	zp_autobuf document = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct saved saved = { 0 };
	struct plan *plan = NULL;
	size_t before = diags->count;

	if (inflate_file(path, &document, &err) < 0) {
		zp_diag_error(diags, ZP_NOWHERE, "Failed to load plan file", "%s. A plan file is made "
			"with `zplan plan -out=FILE`.", zp_error_text(&err));
		return NULL;
	}
	zp_arena_init(&saved.arena);
	if (!read_saved(&saved, zp_buf_slice(&document)))
		zp_diag_error(diags, ZP_NOWHERE, "Failed to load plan file", "%s is damaged.", path);
	else
		plan = rebuild(&saved, nodes, hooks, diags);
	if (plan && (plan->errored || !same_changes(plan, saved.changes))) {
		if (!diags->errors)
			zp_diag_error(diags, ZP_NOWHERE, "Saved plan can not be carried out",
				"Planning again from what the file holds gives other actions than "
				"those that were saved; something outside of it, such as a file the "
				"configuration reads, has changed. Make a new plan.");
		forget_places(diags);
		plan_free(plan);
		plan = NULL;
	}
	/* Warnings were given when the plan was made. */
	if (plan)
		zp_diags_truncate(diags, before);
	saved_release(&saved);
	return plan;
}
