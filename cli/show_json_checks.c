/* "checks" of plans and states: the conditions of the configuration and what became of them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/vec.h"
#include "cli/show_json.h"
#include "state/address.h"

static const char *const kind_names[] = { "resource", "output_value", "check", "var" };
/* The same in the state's "check_results", and in addresses. */
static const char *const kind_words[] = { "resource", "output", "check", "var" };

static void key_member(struct zp_json_writer *writer, struct state_key key)
{
	if (key.kind == STATE_NO_KEY)
		return;
	zp_json_key(writer, "instance_key");
	if (key.kind == STATE_INT_KEY)
		zp_json_int(writer, key.number);
	else
		zp_json_string(writer, key.text);
}

/* Where ".output.NAME" and its like begin in an address; its length when that is all of it. */
static size_t module_length(const char *address, enum plan_checked_kind kind)
{
	zp_autofree char *word = zp_format("%s.", kind_words[kind]);
	size_t length = strlen(word);
	const char *name = strrchr(address, '.');

	if (!name || (size_t)(name + 1 - address) < length)
		return 0;
	const char *start = name + 1 - length;
	return start > address && start[-1] == '.' ? (size_t)(start - 1 - address) : 0;
}

/* The parts of an address; whole: of a block, with its kind, type and name. */
static void address_json(struct zp_json_writer *writer, enum plan_checked_kind kind, const char *address,
	bool whole)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_address parts = { 0 };
	struct zp_arena arena;

	zp_arena_init(&arena);
	zp_json_begin_object(writer);
	if (whole)
		zp_json_member(writer, "kind", kind_names[kind]);
	if (kind == PLAN_CHECKED_RESOURCE && state_address_parse(address, &arena, &parts, &err)) {
		if (whole)
			zp_json_member(writer, "mode", parts.mode == STATE_DATA ? "data" : "managed");
		if (*parts.module)
			zp_json_member(writer, "module", parts.module);
		if (whole) {
			zp_json_member(writer, "type", parts.type);
			zp_json_member(writer, "name", parts.name);
		}
		key_member(writer, parts.key);
	} else if (kind != PLAN_CHECKED_RESOURCE) {
		size_t length = module_length(address, kind);
		if (length) {
			zp_json_key(writer, "module");
			zp_json_string(writer, zp_strn(address, length));
		}
		if (whole && strrchr(address, '.'))
			zp_json_member(writer, "name", strrchr(address, '.') + 1);
	}
	zp_json_member(writer, "to_display", address);
	zp_json_end_object(writer);
	zp_arena_release(&arena);
}

static void begin_block(struct zp_json_writer *writer, enum plan_checked_kind kind, const char *address,
	const char *status)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "address");
	address_json(writer, kind, address, true);
	zp_json_member(writer, "status", status);
}

static void begin_object(struct zp_json_writer *writer, enum plan_checked_kind kind, const char *address,
	const char *status)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "address");
	address_json(writer, kind, address, false);
	zp_json_member(writer, "status", status);
}

static void problem_json(struct zp_json_writer *writer, struct zp_str message)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "message");
	zp_json_string(writer, message);
	zp_json_end_object(writer);
}

static void block_json(struct zp_json_writer *writer, const struct plan_check_block *block)
{
	begin_block(writer, block->kind, block->address, plan_check_status_name(block->status));
	if (block->object_count) {
		zp_json_key(writer, "instances");
		zp_json_begin_array(writer);
	}
	for (size_t i = 0; i < block->object_count; i++) {
		const struct plan_check_object *object = &block->objects[i];
		begin_object(writer, block->kind, object->address, plan_check_status_name(object->status));
		if (object->message_count) {
			zp_json_key(writer, "problems");
			zp_json_begin_array(writer);
			for (size_t k = 0; k < object->message_count; k++)
				problem_json(writer, zp_str(object->messages[k]));
			zp_json_end_array(writer);
		}
		zp_json_end_object(writer);
	}
	if (block->object_count)
		zp_json_end_array(writer);
	zp_json_end_object(writer);
}

void cli_plan_checks_json(struct zp_json_writer *writer, struct plan *plan)
{
	size_t count;
	const struct plan_check_block *blocks = plan_check_blocks(plan, &count);

	if (!count)
		return;
	zp_json_key(writer, "checks");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		block_json(writer, &blocks[i]);
	zp_json_end_array(writer);
}

/* ---- out of a state ---- */

/* What the state says of one block or object. */
struct stored {
	const char *address, *status;
	enum plan_checked_kind kind;
	struct zp_str objects, messages; /* JSON */
};

ZP_VEC(stored_vec, struct stored);

static const char *read_text(struct zp_json *json, struct zp_arena *arena)
{
	struct zp_str text;

	return zp_json_read_string_arena(json, arena, &text) ? text.ptr : "";
}

static enum plan_checked_kind kind_of(const char *word)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(kind_words); i++)
		if (strcmp(word, kind_words[i]) == 0)
			return (enum plan_checked_kind)i;
	return PLAN_CHECKED_RESOURCE;
}

static void read_one(struct zp_json *json, struct zp_arena *arena, struct stored *stored)
{
	struct zp_str key;

	*stored = (struct stored){ .address = "", .status = "unknown" };
	for (bool more = zp_json_enter_object(json); more && zp_json_next_key(json, &key);) {
		if (zp_str_is(key, "object_kind"))
			stored->kind = kind_of(read_text(json, arena));
		else if (zp_str_is(key, "config_addr") || zp_str_is(key, "object_addr"))
			stored->address = read_text(json, arena);
		else if (zp_str_is(key, "status"))
			stored->status = read_text(json, arena);
		else if (zp_str_is(key, "objects"))
			zp_json_skip(json, &stored->objects);
		else if (zp_str_is(key, "failure_messages"))
			zp_json_skip(json, &stored->messages);
		else
			zp_json_skip(json, NULL);
	}
}

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->address, ((const struct stored *)b)->address);
}

/* The elements of a list that may be null, by address. */
static void read_list(struct zp_str text, struct zp_arena *arena, struct stored_vec *out)
{
	struct zp_json json;

	zp_json_init(&json, text);
	if (text.len && zp_json_peek(&json) == ZP_JSON_ARRAY && zp_json_enter_array(&json))
		while (zp_json_next_element(&json)) {
			struct stored one;
			read_one(&json, arena, &one);
			zp_vec_push(out, one);
		}
	zp_json_release(&json);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_address);
}

static void stored_problems_json(struct zp_json_writer *writer, struct zp_str messages)
{
	struct zp_json json;
	struct zp_str text;

	zp_json_init(&json, messages);
	if (messages.len && zp_json_peek(&json) == ZP_JSON_ARRAY && zp_json_enter_array(&json)) {
		zp_json_key(writer, "problems");
		zp_json_begin_array(writer);
		while (zp_json_next_element(&json) && zp_json_read_string(&json, &text))
			problem_json(writer, text);
		zp_json_end_array(writer);
	}
	zp_json_release(&json);
}

static void stored_block_json(struct zp_json_writer *writer, const struct stored *block,
	struct zp_arena *arena)
{
	struct stored_vec objects = { 0 };

	begin_block(writer, block->kind, block->address, block->status);
	read_list(block->objects, arena, &objects);
	if (objects.count) {
		zp_json_key(writer, "instances");
		zp_json_begin_array(writer);
	}
	for (size_t i = 0; i < objects.count; i++) {
		begin_object(writer, block->kind, objects.items[i].address, objects.items[i].status);
		stored_problems_json(writer, objects.items[i].messages);
		zp_json_end_object(writer);
	}
	if (objects.count)
		zp_json_end_array(writer);
	zp_json_end_object(writer);
	zp_vec_release(&objects);
}

void cli_state_checks_json(struct zp_json_writer *writer, const struct state *state)
{
	struct stored_vec blocks = { 0 };
	struct zp_arena arena;

	zp_arena_init(&arena);
	read_list(state->check_results, &arena, &blocks);
	if (blocks.count) {
		zp_json_key(writer, "checks");
		zp_json_begin_array(writer);
	}
	for (size_t i = 0; i < blocks.count; i++)
		stored_block_json(writer, &blocks.items[i], &arena);
	if (blocks.count)
		zp_json_end_array(writer);
	zp_vec_release(&blocks);
	zp_arena_release(&arena);
}
