#include "cli/show_json.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cli/render_plan.h"
#include "hcl-lite/codec.h"
#include "planner/relevant.h"

static void key_json(struct zp_json_writer *writer, struct state_key key)
{
	if (key.kind == STATE_NO_KEY)
		return;
	zp_json_key(writer, "index");
	if (key.kind == STATE_INT_KEY)
		zp_json_int(writer, key.number);
	else
		zp_json_string(writer, key.text);
}

static const char *mode_name(bool data)
{
	return data ? "data" : "managed";
}

/* "registry.terraform.io/x/y" out of provider["registry.terraform.io/x/y"]. */
static struct zp_str provider_name(const char *address)
{
	const char *open = strchr(address, '"');
	const char *close = open ? strchr(open + 1, '"') : NULL;

	return close ? zp_strn(open + 1, (size_t)(close - open - 1)) : zp_str(address);
}

/* One object of values: what prior_state, planned_values and states list. */
struct resource_entry {
	const char *address, *module, *type, *name;
	bool data, tainted;
	struct state_key key;
	const char *deposed;
	struct zp_str provider;
	int64_t schema_version;
	struct hcl_value value; /* planned values; dynamic type: `raw` instead */
	struct zp_str raw;
	const char *const *depends_on;
	size_t depends_on_count;
};

ZP_VEC(entry_vec, struct resource_entry);

/*
 * What of a value is known: unknown members of objects and maps are left out, elsewhere they are null. False
 * when nothing is left of it.
 */
static bool known_json(struct zp_json_writer *writer, struct hcl_value value)
{
	bool map = value.type->kind == HCL_MAP;

	if (hcl_is_unknown(value))
		return false;
	if (value.state != HCL_KNOWN || hcl_is_wholly_known(value) || !value.count) {
		hcl_value_to_json(writer, value, NULL);
		return true;
	}
	if (map || value.type->kind == HCL_OBJECT) {
		zp_json_begin_object(writer);
		for (uint32_t i = 0; i < value.count; i++) {
			struct hcl_value member = map ? value.entries[i].value : value.elements[i];
			if (hcl_is_unknown(member))
				continue;
			if (map)
				zp_json_key_str(writer, value.entries[i].key);
			else
				zp_json_key(writer, value.type->attributes[i].name);
			known_json(writer, member);
		}
		zp_json_end_object(writer);
		return true;
	}
	zp_json_begin_array(writer);
	for (uint32_t i = 0; i < value.count; i++)
		if (!known_json(writer, value.elements[i]))
			zp_json_null(writer);
	zp_json_end_array(writer);
	return true;
}

static bool knows_any(struct hcl_value object)
{
	if (object.state != HCL_KNOWN)
		return !hcl_is_unknown(object);
	for (uint32_t i = 0; i < object.count; i++)
		if (!hcl_is_unknown(object.elements[i]))
			return true;
	return false;
}

static void entry_json(struct zp_json_writer *writer, const struct resource_entry *entry)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "address");
	zp_json_cstr(writer, entry->address);
	zp_json_key(writer, "mode");
	zp_json_cstr(writer, mode_name(entry->data));
	zp_json_key(writer, "type");
	zp_json_cstr(writer, entry->type);
	zp_json_key(writer, "name");
	zp_json_cstr(writer, entry->name);
	key_json(writer, entry->key);
	zp_json_key(writer, "provider_name");
	zp_json_string(writer, entry->provider);
	zp_json_key(writer, "schema_version");
	zp_json_int(writer, entry->schema_version);
	if (entry->raw.len || knows_any(entry->value)) {
		zp_json_key(writer, "values");
		if (entry->raw.len)
			zp_json_raw(writer, entry->raw);
		else
			known_json(writer, entry->value);
	}
	zp_json_key(writer, "sensitive_values");
	if (entry->raw.len) {
		zp_json_begin_object(writer);
		zp_json_end_object(writer);
	} else {
		hcl_sensitive_to_json(writer, entry->value);
	}
	if (entry->depends_on_count) {
		zp_json_key(writer, "depends_on");
		zp_json_begin_array(writer);
		for (size_t i = 0; i < entry->depends_on_count; i++)
			zp_json_cstr(writer, entry->depends_on[i]);
		zp_json_end_array(writer);
	}
	if (entry->tainted) {
		zp_json_key(writer, "tainted");
		zp_json_bool(writer, true);
	}
	if (entry->deposed) {
		zp_json_key(writer, "deposed_key");
		zp_json_cstr(writer, entry->deposed);
	}
	zp_json_end_object(writer);
}

/* Length of the first step of a module path below `from`: "module.a[0]" of "module.a[0].module.b". */
static size_t next_module(const char *path)
{
	size_t i = strlen("module.");
	bool quoted = false;

	for (; path[i]; i++) {
		if (path[i] == '\\' && quoted && path[i + 1])
			i++;
		else if (path[i] == '"')
			quoted = !quoted;
		else if (path[i] == '.' && !quoted)
			break;
	}
	return i;
}

/* Entries [first, last) all lie in or below `module`; they are sorted by module. */
static void module_json(struct zp_json_writer *writer, const struct resource_entry *entries,
	size_t first, size_t last, size_t prefix)
{
	size_t i = first;

	zp_json_begin_object(writer);
	if (first < last && strlen(entries[first].module) == prefix) {
		zp_json_key(writer, "resources");
		zp_json_begin_array(writer);
		for (; i < last && strlen(entries[i].module) == prefix; i++)
			entry_json(writer, &entries[i]);
		zp_json_end_array(writer);
	}
	if (prefix) {
		zp_json_key(writer, "address");
		zp_json_string(writer, zp_strn(entries[first].module, prefix));
	}
	if (i < last) {
		zp_json_key(writer, "child_modules");
		zp_json_begin_array(writer);
	}
	bool any = i < last;
	while (i < last) {
		size_t start = prefix + (prefix > 0);
		size_t length = start + next_module(entries[i].module + start);
		size_t j = i;
		while (j < last && strncmp(entries[j].module, entries[i].module, length) == 0 &&
			(entries[j].module[length] == 0 || entries[j].module[length] == '.'))
			j++;
		module_json(writer, entries, i, j, length);
		i = j;
	}
	if (any)
		zp_json_end_array(writer);
	zp_json_end_object(writer);
}

/* The peer orders a state's objects as the state does, and planned ones by the text of their address. */
static int text_order(const void *a, const void *b)
{
	const struct resource_entry *x = a, *y = b;
	int order = strcmp(x->module, y->module);

	return order ? order : strcmp(x->address, y->address);
}

static int entry_order(const void *a, const void *b)
{
	const struct resource_entry *x = a, *y = b;
	int order = strcmp(x->module, y->module);

	if (!order)
		order = (int)y->data - (int)x->data;
	if (!order)
		order = strcmp(x->type, y->type);
	if (!order)
		order = strcmp(x->name, y->name);
	if (!order && x->key.kind == STATE_INT_KEY && y->key.kind == STATE_INT_KEY)
		return (x->key.number > y->key.number) - (x->key.number < y->key.number);
	return order ? order : strcmp(x->address, y->address);
}

static void entries_json(struct zp_json_writer *writer, struct entry_vec *entries, bool planned)
{
	if (entries->count)
		qsort(entries->items, entries->count, sizeof(*entries->items),
			planned ? text_order : entry_order);
	zp_json_key(writer, "root_module");
	module_json(writer, entries->items, 0, entries->count, 0);
}

struct output_entry {
	const char *name;
	bool sensitive;
	const struct state_output *stored;
	const struct plan_output_change *planned; /* what it will be, where that is known by now */
};

ZP_VEC(output_vec, struct output_entry);

static int output_order(const void *a, const void *b)
{
	return strcmp(((const struct output_entry *)a)->name, ((const struct output_entry *)b)->name);
}

/* The outputs of a state; of that before a plan, with what the plan already knows of them. */
static void collect_outputs(struct output_vec *outputs, const struct state *state, const struct plan *plan)
{
	struct zp_map seen = { 0 };
	size_t count = 0;
	const struct plan_output_change *changes = plan ? plan_output_changes(plan, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		const struct plan_output_change *change = &changes[i];
		if (change->action == PLAN_DELETE || !hcl_is_wholly_known(change->after))
			continue;
		*zp_map_slot(&seen, zp_str(change->name)) = (void *)change;
		if (hcl_is_null(change->after))
			continue;
		struct output_entry entry = { change->name, change->sensitive, NULL, change };
		zp_vec_push(outputs, entry);
	}
	for (size_t i = 0; i < state->output_count; i++) {
		struct output_entry entry = { state->outputs[i].name, state->outputs[i].sensitive,
			&state->outputs[i], NULL };
		if (!zp_map_get(&seen, zp_str(entry.name)))
			zp_vec_push(outputs, entry);
	}
	zp_map_release(&seen);
	if (outputs->count)
		qsort(outputs->items, outputs->count, sizeof(*outputs->items), output_order);
}

static void output_json(struct zp_json_writer *writer, const struct output_entry *output)
{
	zp_autobuf type = ZP_BUF_INIT;

	zp_json_key(writer, output->name);
	zp_json_begin_object(writer);
	zp_json_key(writer, "sensitive");
	zp_json_bool(writer, output->sensitive);
	zp_json_key(writer, "value");
	if (output->planned) {
		hcl_value_to_json(writer, output->planned->after, NULL);
		hcl_type_to_json(output->planned->after.type, &type);
	} else {
		zp_json_raw(writer, output->stored->value);
		zp_buf_str(&type, output->stored->type);
	}
	zp_json_key(writer, "type");
	zp_json_raw(writer, zp_buf_slice(&type));
	zp_json_end_object(writer);
}

static void outputs_json(struct zp_json_writer *writer, const struct output_vec *outputs)
{
	if (!outputs->count)
		return;
	zp_json_key(writer, "outputs");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < outputs->count; i++)
		output_json(writer, &outputs->items[i]);
	zp_json_end_object(writer);
}

static struct resource_entry state_entry(const struct state_object *object, struct zp_arena *arena)
{
	const struct state_resource *resource = object->resource;
	struct resource_entry entry = {
		.address = object->address,
		.module = resource->module,
		.type = resource->type,
		.name = resource->name,
		.data = resource->mode == STATE_DATA,
		.tainted = object->tainted,
		.key = object->key,
		.deposed = object->deposed,
		.provider = provider_name(resource->provider),
		.schema_version = object->schema_version,
		.depends_on = object->dependencies,
		.depends_on_count = object->dependency_count,
	};
	const struct provider *provider = provider_for_type(resource->type);
	const struct provider_resource_type *type = provider ?
		provider_resource(provider, resource->type, entry.data) : NULL;

	if (!type || !plan_decode_object(object, type->schema, arena, &entry.value, NULL))
		entry.raw = object->attributes;
	return entry;
}

/* The members of a state's document. plan: it is the state before that; NULL: a state of its own. */
static void state_members_json(struct zp_json_writer *writer, const struct state *state,
	struct plan *plan)
{
	struct output_vec outputs = { 0 };
	struct entry_vec entries = { 0 };
	struct zp_map dependencies = { 0 };
	struct zp_arena arena;

	zp_arena_init(&arena);
	collect_outputs(&outputs, state, plan);
	if (plan)
		plan_refreshed_dependencies(plan, &dependencies);
	for (size_t i = 0; i < state->object_count; i++) {
		if (!state->objects[i])
			continue;
		struct resource_entry entry = state_entry(state->objects[i], &arena);
		const struct plan_names *names =
			entry.deposed ? NULL : zp_map_get(&dependencies, zp_str(entry.address));
		if (names) {
			entry.depends_on = names->items;
			entry.depends_on_count = names->count;
		}
		zp_vec_push(&entries, entry);
	}
	zp_map_release(&dependencies);
	zp_json_key(writer, "format_version");
	zp_json_cstr(writer, "1.0");
	if (outputs.count || entries.count) {
		zp_json_key(writer, "terraform_version");
		zp_json_cstr(writer, STATE_TERRAFORM_VERSION);
		zp_json_key(writer, "values");
		zp_json_begin_object(writer);
		outputs_json(writer, &outputs);
		entries_json(writer, &entries, false);
		zp_json_end_object(writer);
		if (!plan)
			cli_state_checks_json(writer, state);
	}
	zp_vec_release(&outputs);
	zp_vec_release(&entries);
	zp_arena_release(&arena);
}

static void prior_state_json(struct zp_json_writer *writer, struct plan *plan)
{
	const struct state *state = plan_state(plan);
	struct output_vec outputs = { 0 };

	collect_outputs(&outputs, state, plan);
	bool any = outputs.count || !state_is_empty(state);
	zp_vec_release(&outputs);
	if (!any)
		return;
	zp_json_key(writer, "prior_state");
	zp_json_begin_object(writer);
	state_members_json(writer, state, plan);
	zp_json_end_object(writer);
}

void cli_state_json(const struct state *state, struct zp_buf *out)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	writer.exact_integers = true;
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	state_members_json(&writer, state, NULL);
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
}

static void actions_json(struct zp_json_writer *writer, enum plan_action action)
{
	static const char *const names[][2] = {
		[PLAN_NO_OP] = { "no-op", NULL },	 [PLAN_CREATE] = { "create", NULL },
		[PLAN_READ] = { "read", NULL },		 [PLAN_UPDATE] = { "update", NULL },
		[PLAN_DELETE_CREATE] = { "delete", "create" },
		[PLAN_CREATE_DELETE] = { "create", "delete" },
		[PLAN_DELETE] = { "delete", NULL },	 [PLAN_FORGET] = { "forget", NULL },
	};

	zp_json_key(writer, "actions");
	zp_json_begin_array(writer);
	zp_json_cstr(writer, names[action][0]);
	if (names[action][1])
		zp_json_cstr(writer, names[action][1]);
	zp_json_end_array(writer);
}

static void null_or_value(struct zp_json_writer *writer, struct hcl_value value)
{
	if (hcl_is_null(value))
		zp_json_null(writer);
	else
		known_json(writer, value);
}

static void values_json(struct zp_json_writer *writer, enum plan_action action,
	struct hcl_value before, struct hcl_value after)
{
	actions_json(writer, action);
	zp_json_key(writer, "before");
	null_or_value(writer, before);
	if (hcl_is_unknown(after))
		return;
	zp_json_key(writer, "after");
	null_or_value(writer, after);
}

static void difference_json(struct zp_json_writer *writer, enum plan_action action,
	struct hcl_value before, struct hcl_value after)
{
	values_json(writer, action, before, after);
	zp_json_key(writer, "after_unknown");
	if (hcl_is_wholly_known(after)) {
		zp_json_begin_object(writer);
		zp_json_end_object(writer);
	} else {
		hcl_unknown_to_json(writer, after);
	}
	zp_json_key(writer, "before_sensitive");
	hcl_sensitive_to_json(writer, before);
	zp_json_key(writer, "after_sensitive");
	hcl_sensitive_to_json(writer, after);
}

static void path_json(struct zp_json_writer *writer, const struct hcl_path *path)
{
	zp_json_begin_array(writer);
	for (size_t i = 0; i < path->count; i++) {
		if (path->steps[i].name)
			zp_json_cstr(writer, path->steps[i].name);
		else
			hcl_value_to_json(writer, path->steps[i].key, NULL);
	}
	zp_json_end_array(writer);
}

static void replace_paths_json(struct zp_json_writer *writer, const struct plan_change *change)
{
	if (!change->replace_count)
		return;
	zp_json_key(writer, "replace_paths");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < change->replace_count; i++)
		path_json(writer, &change->replace[i]);
	zp_json_end_array(writer);
}

const char *cli_reason_name(enum plan_reason reason)
{
	static const char *const names[] = {
		[PLAN_REPLACE_BECAUSE_TAINTED] = "replace_because_tainted",
		[PLAN_REPLACE_BECAUSE_CANNOT_UPDATE] = "replace_because_cannot_update",
		[PLAN_REPLACE_BY_REQUEST] = "replace_by_request",
		[PLAN_REPLACE_BY_TRIGGERS] = "replace_by_triggers",
		[PLAN_DELETE_BECAUSE_NO_RESOURCE_CONFIG] = "delete_because_no_resource_config",
		[PLAN_DELETE_BECAUSE_WRONG_REPETITION] = "delete_because_wrong_repetition",
		[PLAN_DELETE_BECAUSE_COUNT_INDEX] = "delete_because_count_index",
		[PLAN_DELETE_BECAUSE_EACH_KEY] = "delete_because_each_key",
		[PLAN_DELETE_BECAUSE_NO_MODULE] = "delete_because_no_module",
		[PLAN_DELETE_BECAUSE_NO_MOVE_TARGET] = "delete_because_no_move_target",
		[PLAN_READ_BECAUSE_CONFIG_UNKNOWN] = "read_because_config_unknown",
		[PLAN_READ_BECAUSE_DEPENDENCY_PENDING] = "read_because_dependency_pending",
		[PLAN_READ_BECAUSE_CHECK_NESTED] = "read_because_check_nested",
	};

	return reason < ZP_ARRAY_SIZE(names) ? names[reason] : NULL;
}

static void change_json(struct zp_json_writer *writer, const struct plan_change *change)
{
	zp_json_begin_object(writer);
	zp_json_key(writer, "address");
	zp_json_cstr(writer, change->address);
	if (change->previous_address) {
		zp_json_key(writer, "previous_address");
		zp_json_cstr(writer, change->previous_address);
	}
	if (*change->module) {
		zp_json_key(writer, "module_address");
		zp_json_cstr(writer, change->module);
	}
	zp_json_key(writer, "mode");
	zp_json_cstr(writer, mode_name(change->mode == PLAN_DATA));
	zp_json_key(writer, "type");
	zp_json_cstr(writer, change->type);
	zp_json_key(writer, "name");
	zp_json_cstr(writer, change->name);
	key_json(writer, change->key);
	if (change->deposed) {
		zp_json_key(writer, "deposed");
		zp_json_cstr(writer, change->deposed);
	}
	zp_json_key(writer, "provider_name");
	zp_json_cstr(writer, change->provider_address);
	zp_json_key(writer, "change");
	zp_json_begin_object(writer);
	difference_json(writer, change->action, change->before, change->after);
	replace_paths_json(writer, change);
	if (change->import_id) {
		zp_json_key(writer, "importing");
		zp_json_begin_object(writer);
		zp_json_key(writer, "id");
		zp_json_cstr(writer, change->import_id);
		zp_json_end_object(writer);
	}
	if (change->generated) {
		zp_json_key(writer, "generated_config");
		size_t length = strlen(change->generated);
		length -= length && change->generated[length - 1] == '\n';
		zp_json_string(writer, zp_strn(change->generated, length));
	}
	zp_json_end_object(writer);
	if (cli_reason_name(change->reason)) {
		zp_json_key(writer, "action_reason");
		zp_json_cstr(writer, cli_reason_name(change->reason));
	}
	zp_json_end_object(writer);
}

static void planned_outputs_json(struct zp_json_writer *writer, const struct plan *plan)
{
	size_t count;
	const struct plan_output_change *outputs = plan_output_changes(plan, &count);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (outputs[i].action == PLAN_DELETE)
			continue;
		if (!any) {
			zp_json_key(writer, "outputs");
			zp_json_begin_object(writer);
			any = true;
		}
		zp_json_key(writer, outputs[i].name);
		zp_json_begin_object(writer);
		zp_json_key(writer, "sensitive");
		zp_json_bool(writer, outputs[i].sensitive || outputs[i].before_sensitive);
		if (hcl_is_wholly_known(outputs[i].after)) {
			zp_autobuf type = ZP_BUF_INIT;
			zp_json_key(writer, "type");
			hcl_type_to_json(outputs[i].after.type, &type);
			zp_json_raw(writer, zp_buf_slice(&type));
			zp_json_key(writer, "value");
			hcl_value_to_json(writer, outputs[i].after, NULL);
		}
		zp_json_end_object(writer);
	}
	if (any)
		zp_json_end_object(writer);
}

static void planned_values_json(struct zp_json_writer *writer, const struct plan *plan)
{
	size_t count;
	const struct plan_change *changes = plan_changes(plan, &count);
	struct entry_vec entries = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct plan_change *change = &changes[i];
		if (hcl_is_null(change->after) || change->deposed)
			continue;
		struct resource_entry entry = { .address = change->address, .module = change->module,
			.type = change->type, .name = change->name, .data = change->mode == PLAN_DATA,
			.key = change->key, .provider = zp_str(change->provider_address),
			.schema_version = change->schema->version, .value = change->after };
		zp_vec_push(&entries, entry);
	}
	zp_json_key(writer, "planned_values");
	zp_json_begin_object(writer);
	planned_outputs_json(writer, plan);
	entries_json(writer, &entries, true);
	zp_json_end_object(writer);
	zp_vec_release(&entries);
}

static void output_changes_json(struct zp_json_writer *writer, const struct plan *plan)
{
	size_t count;
	const struct plan_output_change *outputs = plan_output_changes(plan, &count);

	if (!count)
		return;
	zp_json_key(writer, "output_changes");
	zp_json_begin_object(writer);
	for (size_t i = 0; i < count; i++) {
		/* One answer for before and after, and none in parts: the peer's document has it so. */
		bool sensitive = outputs[i].sensitive || outputs[i].before_sensitive;
		zp_json_key(writer, outputs[i].name);
		zp_json_begin_object(writer);
		values_json(writer, outputs[i].action, outputs[i].before, outputs[i].after);
		zp_json_key(writer, "after_unknown");
		if (hcl_is_wholly_known(outputs[i].after))
			zp_json_bool(writer, false);
		else
			hcl_unknown_to_json(writer, outputs[i].after);
		zp_json_key(writer, "before_sensitive");
		zp_json_bool(writer, sensitive);
		zp_json_key(writer, "after_sensitive");
		zp_json_bool(writer, sensitive);
		zp_json_end_object(writer);
	}
	zp_json_end_object(writer);
}

static void variables_json(struct zp_json_writer *writer, const struct plan *plan)
{
	const struct plan_module *root = plan_configuration(plan)->root;
	bool any = false;

	for (uint32_t i = 0; i < root->variable_count; i++) {
		const struct hcl_value *value = plan_root_value(plan, i);
		if (!value)
			continue;
		if (!any) {
			zp_json_key(writer, "variables");
			zp_json_begin_object(writer);
			any = true;
		}
		zp_json_key(writer, root->variables[i]->name);
		zp_json_begin_object(writer);
		zp_json_key(writer, "value");
		hcl_value_to_json(writer, *value, NULL);
		zp_json_end_object(writer);
	}
	if (any)
		zp_json_end_object(writer);
}

static void drift_json(struct zp_json_writer *writer, const struct plan *plan)
{
	size_t count;
	const struct plan_drift *drifts = plan_drifts(plan, &count);

	size_t moved;
	const struct plan_change *moves = plan_moved_changes(plan, &moved);

	if (!count && !moved)
		return;
	zp_json_key(writer, "resource_drift");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		change_json(writer, &drifts[i].change);
	for (size_t i = 0; i < moved; i++)
		change_json(writer, &moves[i]);
	zp_json_end_array(writer);
}

static void relevant_json(struct zp_json_writer *writer, struct plan *plan)
{
	size_t count;
	const struct plan_relevant_attribute *relevant = plan_relevant_attributes(plan, &count);

	if (!count)
		return;
	zp_json_key(writer, "relevant_attributes");
	zp_json_begin_array(writer);
	for (size_t i = 0; i < count; i++) {
		zp_json_begin_object(writer);
		zp_json_key(writer, "resource");
		zp_json_cstr(writer, relevant[i].resource);
		zp_json_key(writer, "attribute");
		path_json(writer, &relevant[i].attribute);
		zp_json_end_object(writer);
	}
	zp_json_end_array(writer);
}

void cli_plan_json(struct plan *plan, struct zp_buf *out)
{
	struct zp_json_writer writer;
	size_t count;
	const struct plan_change *changes = plan_changes(plan, &count);

	zp_json_writer_init(&writer, out, false);
	writer.exact_integers = true;
	writer.html_safe = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "format_version");
	zp_json_cstr(&writer, "1.2");
	zp_json_key(&writer, "terraform_version");
	zp_json_cstr(&writer, STATE_TERRAFORM_VERSION);
	variables_json(&writer, plan);
	planned_values_json(&writer, plan);
	drift_json(&writer, plan);
	if (count) {
		zp_json_key(&writer, "resource_changes");
		zp_json_begin_array(&writer);
		for (size_t i = 0; i < count; i++)
			change_json(&writer, &changes[i]);
		zp_json_end_array(&writer);
	}
	output_changes_json(&writer, plan);
	prior_state_json(&writer, plan);
	zp_json_key(&writer, "configuration");
	cli_config_json(&writer, plan_configuration(plan));
	relevant_json(&writer, plan);
	cli_plan_checks_json(&writer, plan);
	zp_json_key(&writer, "timestamp");
	zp_json_cstr(&writer, plan_created(plan));
	zp_json_key(&writer, "applyable");
	zp_json_bool(&writer, !plan_is_empty(plan) && !plan_errored(plan));
	zp_json_key(&writer, "complete");
	zp_json_bool(&writer, !plan_is_limited(plan));
	zp_json_key(&writer, "errored");
	zp_json_bool(&writer, plan_errored(plan));
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
}
