#include "state/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "state/state_internal.h"

struct state *state_allocate(void)
{
	struct state *state = zp_calloc(1, sizeof(*state));

	zp_arena_init(&state->arena);
	state->terraform_version = STATE_TERRAFORM_VERSION;
	state->lineage = "";
	return state;
}

struct state *state_new(void)
{
	struct state *state = state_allocate();
	char lineage[ZP_UUID_LENGTH + 1];

	zp_uuid(lineage);
	state->lineage = zp_arena_strdup(&state->arena, lineage);
	return state;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	free(state->objects);
	free(state->outputs);
	free((char *)state->text.ptr);
	zp_map_release(&state->by_address);
	zp_map_release(&state->resources);
	zp_arena_release(&state->arena);
	free(state);
}

/* Where an object is found: its address, with the id of a deposed one. In the state's arena. */
static struct zp_str lookup_key(struct zp_arena *arena, const char *address, const char *deposed)
{
	if (!deposed)
		return zp_str(address);
	return zp_str(zp_arena_format(arena, "%s (deposed %s)", address, deposed));
}

struct state_object *state_find(const struct state *state, const char *address, const char *deposed)
{
	if (!deposed)
		return zp_map_get(&state->by_address, zp_str(address));
	zp_autofree char *key = zp_format("%s (deposed %s)", address, deposed);
	return zp_map_get(&state->by_address, zp_str(key));
}

const struct state_resource *state_resource(struct state *state, const char *module,
	enum state_mode mode, const char *type, const char *name, const char *provider)
{
	zp_autobuf address = ZP_BUF_INIT;
	state_address_text(module, mode, type, name, (struct state_key){ 0 }, &address);
	struct state_resource *resource = zp_map_get(&state->resources, zp_buf_slice(&address));

	if (!resource) {
		resource = zp_new(&state->arena, struct state_resource);
		resource->module = zp_arena_strdup(&state->arena, module);
		resource->mode = mode;
		resource->type = zp_arena_strdup(&state->arena, type);
		resource->name = zp_arena_strdup(&state->arena, name);
		resource->address = zp_arena_strdup(&state->arena, address.ptr);
		zp_map_set(&state->resources, zp_str(resource->address), resource);
	}
	if (!resource->provider || strcmp(resource->provider, provider) != 0)
		resource->provider = zp_arena_strdup(&state->arena, provider);
	return resource;
}

struct state_object *state_index(struct state *state, struct state_object *object)
{
	struct zp_str key = lookup_key(&state->arena, object->address, object->deposed);
	size_t known = state->by_address.count;
	void **slot = zp_map_slot(&state->by_address, key);
	struct state_object *old = *slot;

	if (state->by_address.count == known) {
		/* The place in the array stays, so that the file's order does. */
		object->position = old->position;
		state->objects[object->position] = object;
	} else {
		if (state->object_count == state->object_capacity) {
			state->object_capacity = state->object_capacity ? state->object_capacity * 2 : 64;
			state->objects = zp_reallocarray(state->objects, state->object_capacity,
				sizeof(*state->objects));
		}
		object->position = state->object_count;
		state->objects[state->object_count++] = object;
	}
	*slot = object;
	return old;
}

static struct zp_str copy(struct zp_arena *arena, struct zp_str text)
{
	return text.len ? zp_arena_str(arena, text) : (struct zp_str){ 0 };
}

void state_object_copy(struct zp_arena *arena, struct state_object *to,
	const struct state_object *from)
{
	*to = *from;
	to->key.text = copy(arena, from->key.text);
	to->deposed = from->deposed ? zp_arena_strdup(arena, from->deposed) : NULL;
	to->attributes = copy(arena, from->attributes);
	to->sensitive_attributes = copy(arena, from->sensitive_attributes);
	to->private_data = copy(arena, from->private_data);
	to->identity = copy(arena, from->identity);
	to->extra = copy(arena, from->extra);
	const char **dependencies = zp_new_array(arena, const char *, from->dependency_count);
	for (size_t i = 0; i < from->dependency_count; i++)
		dependencies[i] = zp_arena_strdup(arena, from->dependencies[i]);
	to->dependencies = dependencies;
	to->address = from->address ? zp_arena_strdup(arena, from->address) : NULL;
}

const char *state_object_address(struct zp_arena *arena, const struct state_resource *resource,
	struct state_key key)
{
	if (key.kind == STATE_NO_KEY)
		return resource->address;
	zp_autobuf address = ZP_BUF_INIT;
	zp_buf_puts(&address, resource->address);
	state_key_text(key, &address);
	return zp_arena_strndup(arena, address.ptr, address.len);
}

struct state_object *state_set(struct state *state, const struct state_object *object)
{
	struct state_object *stored = zp_new(&state->arena, struct state_object);

	state_object_copy(&state->arena, stored, object);
	stored->address = state_object_address(&state->arena, object->resource, stored->key);
	state_index(state, stored);
	return stored;
}

void state_remove(struct state *state, const char *address, const char *deposed)
{
	struct state_object *object = state_find(state, address, deposed);

	if (!object)
		return;
	zp_map_remove(&state->by_address, lookup_key(&state->arena, object->address, object->deposed));
	state->objects[object->position] = NULL;
}

bool state_depose(struct state *state, const char *address, const char *deposed)
{
	const struct state_object *current = state_find(state, address, NULL);

	if (!current || state_find(state, address, deposed))
		return false;
	struct state_object moved = *current;
	moved.deposed = deposed;
	state_set(state, &moved);
	state_remove(state, address, NULL);
	return true;
}

/* Where the output is or belongs in the sorted array. */
static size_t output_position(const struct state *state, const char *name)
{
	size_t low = 0, high = state->output_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(state->outputs[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool output_at(const struct state *state, size_t at, const char *name)
{
	return at < state->output_count && strcmp(state->outputs[at].name, name) == 0;
}

struct state_output *state_output_slot(struct state *state, const char *name)
{
	size_t at = output_position(state, name);

	if (output_at(state, at, name))
		return &state->outputs[at];
	if (state->output_count == state->output_capacity) {
		state->output_capacity = state->output_capacity ? state->output_capacity * 2 : 16;
		state->outputs = zp_reallocarray(state->outputs, state->output_capacity,
			sizeof(*state->outputs));
	}
	struct state_output *output = &state->outputs[at];
	memmove(output + 1, output, (state->output_count - at) * sizeof(*output));
	state->output_count++;
	*output = (struct state_output){ .name = zp_arena_strdup(&state->arena, name) };
	return output;
}

void state_set_output(struct state *state, const char *name, struct zp_str value_json,
	struct zp_str type_json, bool sensitive)
{
	struct state_output *output = state_output_slot(state, name);

	output->value = zp_arena_str(&state->arena, value_json);
	output->type = zp_arena_str(&state->arena, type_json);
	output->sensitive = sensitive;
}

void state_remove_output(struct state *state, const char *name)
{
	size_t at = output_position(state, name);

	if (!output_at(state, at, name))
		return;
	memmove(state->outputs + at, state->outputs + at + 1,
		(state->output_count - at - 1) * sizeof(*state->outputs));
	state->output_count--;
}

bool state_is_empty(const struct state *state)
{
	return !state->by_address.count && !state->output_count;
}

struct state *state_clone(const struct state *from)
{
	struct state *state = state_allocate();
	struct zp_arena *arena = &state->arena;

	state->serial = from->serial;
	state->lineage = zp_arena_strdup(arena, from->lineage);
	state->terraform_version = zp_arena_strdup(arena, from->terraform_version);
	state->check_results = copy(arena, from->check_results);
	state->extra = copy(arena, from->extra);
	for (size_t i = 0; i < from->output_count; i++) {
		const struct state_output *output = &from->outputs[i];
		state_set_output(state, output->name, output->value, output->type,
			output->sensitive);
		state->outputs[i].extra = copy(arena, output->extra);
	}
	for (size_t i = 0; i < from->object_count; i++) {
		const struct state_object *object = from->objects[i];
		if (!object)
			continue;
		const struct state_resource *old = object->resource;
		struct state_object mine = *object;
		struct state_resource *resource = (struct state_resource *)state_resource(state,
			old->module, old->mode, old->type, old->name, old->provider);
		resource->extra = copy(arena, old->extra);
		mine.resource = resource;
		state_set(state, &mine);
	}
	return state;
}

/* An absent document is as good as an empty one, which is what gets written. */
static bool same_json(struct zp_str a, struct zp_str b, const char *empty)
{
	return state_json_equal(a.len ? a : zp_str(empty), b.len ? b : zp_str(empty));
}

static bool same_object(const struct state_object *a, const struct state_object *b)
{
	if (!b || a->tainted != b->tainted || a->create_before_destroy != b->create_before_destroy ||
		a->schema_version != b->schema_version || a->dependency_count != b->dependency_count ||
		strcmp(a->resource->provider, b->resource->provider) != 0 ||
		!same_json(a->attributes, b->attributes, "{}") ||
		!same_json(a->sensitive_attributes, b->sensitive_attributes, "[]") ||
		!zp_str_equal(a->private_data, b->private_data) ||
		!state_json_equal(a->identity, b->identity))
		return false;
	for (size_t i = 0; i < a->dependency_count; i++)
		if (strcmp(a->dependencies[i], b->dependencies[i]) != 0)
			return false;
	return true;
}

bool state_equal(const struct state *a, const struct state *b)
{
	if (a->by_address.count != b->by_address.count || a->output_count != b->output_count ||
		!same_json(a->check_results, b->check_results, "null"))
		return false;
	for (size_t i = 0; i < a->output_count; i++)
		if (strcmp(a->outputs[i].name, b->outputs[i].name) != 0 ||
			a->outputs[i].sensitive != b->outputs[i].sensitive ||
			!state_json_equal(a->outputs[i].value, b->outputs[i].value) ||
			!state_json_equal(a->outputs[i].type, b->outputs[i].type))
			return false;
	for (size_t i = 0; i < a->by_address.count; i++) {
		const struct zp_map_entry *entry = &a->by_address.entries[i];
		if (!same_object(entry->value, zp_map_get(&b->by_address, entry->key)))
			return false;
	}
	return true;
}
