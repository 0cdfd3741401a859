#include "planner/relevant.h"

#include <stdlib.h>

#include "base/vec.h"
#include "planner/config_internal.h"
#include "planner/engine.h"
#include "state/address.h"

/* A module as references lead to it: its keys are those that were written. */
struct place {
	const char *address; /* "" or module.a[0] */
	const struct plan_module *module;
	const struct place *parent;
};

/* An expression to be read: where its names mean something, and whose repetition each and count are. */
struct reading {
	const struct place *place;
	const struct plan_resource *repeated; /* or NULL */
	const struct hcl_expr *expr;
};

struct walk {
	struct zp_arena *arena;
	struct zp_map places;  /* address -> struct place * */
	struct zp_map visited; /* names of what was read */
	struct zp_map found;   /* text -> struct plan_relevant_attribute * */
	ZP_VEC(, struct reading) pending;
	struct reading at;
};

static bool enter(struct walk *walk, const struct place *place, const char *kind, const char *name)
{
	const char *key = zp_arena_format(walk->arena, "%s %s %s", place->address, kind, name);

	if (zp_map_has(&walk->visited, zp_str(key)))
		return false;
	zp_map_set(&walk->visited, zp_str(key), walk);
	return true;
}

static void read_later(struct walk *walk, const struct place *place,
	const struct plan_resource *repeated, const struct hcl_expr *expr)
{
	struct reading reading = { place, repeated, expr };

	if (expr)
		zp_vec_push(&walk->pending, reading);
}

/* ---- places ---- */

static const struct place *find_place(struct walk *walk, const char *address,
	const struct plan_module *module, const struct place *parent)
{
	struct place *place = zp_map_get(&walk->places, zp_str(address));

	if (place || !module)
		return place;
	place = zp_arena_alloc(walk->arena, sizeof(*place));
	*place = (struct place){ address, module, parent };
	zp_map_set(&walk->places, zp_str(address), place);
	return place;
}

static const struct place *called_place(struct walk *walk, const struct place *caller,
	const struct plan_call *call, struct state_key key)
{
	zp_autobuf text = ZP_BUF_INIT;

	zp_buf_printf(&text, "%s%smodule.%s", caller->address, *caller->address ? "." : "", call->name);
	state_key_text(key, &text);
	const char *address = zp_arena_strndup(walk->arena, text.ptr, text.len);
	return find_place(walk, address, call->module, caller);
}

/* The place of "module.a[0].module.b"; NULL where the configuration has no such module any more. */
static const struct place *place_of(struct walk *walk, const struct plan *plan, const char *address)
{
	struct state_address parsed;

	if (!*address)
		return find_place(walk, "", plan->config->root, NULL);
	const struct place *known = zp_map_get(&walk->places, zp_str(address));
	if (known)
		return known;
	if (!state_address_parse(address, walk->arena, &parsed, NULL))
		return NULL;
	/* Modules nest no deeper than the configuration, which was loaded in the same way. */
	const struct place *caller = place_of(walk, plan, parsed.parent);
	const struct plan_call *call =
		caller ? zp_map_get(&caller->module->call_map, zp_str(parsed.module_name)) : NULL;
	return call ? called_place(walk, caller, call, parsed.module_key) : NULL;
}

/* ---- what a reference leads to ---- */

struct body_reading {
	struct walk *walk;
	const struct place *place;
	const struct plan_resource *repeated;
};

static void read_body_expression(void *data, const struct hcl_expr *expr)
{
	const struct body_reading *reading = data;

	read_later(reading->walk, reading->place, reading->repeated, expr);
}

/* Whether the block is one of the name, or makes such. */
static bool is_block_of(const struct hcl_block *block, const char *name)
{
	if (strcmp(block->type, name) == 0)
		return true;
	return strcmp(block->type, "dynamic") == 0 && block->label_count == 1 &&
		zp_str_is(block->labels[0], name);
}

/* name NULL: all of the body. */
static void read_body(struct walk *walk, const struct place *place,
	const struct plan_resource *repeated, const struct hcl_body *body, const char *name)
{
	struct body_reading reading = { walk, place, repeated };
	struct hcl_content content = { 0 };
	struct zp_diags ignored;

	if (!body)
		return;
	if (!name) {
		plan_body_expressions(body, walk->arena, read_body_expression, &reading);
		return;
	}
	if (body->json) {
		zp_diags_init(&ignored);
		hcl_body_attributes(body, walk->arena, &content, &ignored);
		zp_diags_release(&ignored);
		for (size_t i = 0; i < content.attribute_count; i++)
			if (strcmp(content.attributes[i]->name, name) == 0)
				read_later(walk, place, repeated, content.attributes[i]->expr);
		return;
	}
	for (size_t i = 0; i < body->attribute_count; i++)
		if (strcmp(body->attributes[i]->name, name) == 0)
			read_later(walk, place, repeated, body->attributes[i]->expr);
	for (size_t i = 0; i < body->block_count; i++)
		if (is_block_of(body->blocks[i], name))
			plan_body_expressions(body->blocks[i]->body, walk->arena, read_body_expression,
				&reading);
}

static void read_resource(struct walk *walk, const struct place *place,
	const struct plan_resource *resource, const char *attribute)
{
	const char *name = zp_arena_format(
		walk->arena, "%s.%s", resource->address, attribute ? attribute : "");

	if (enter(walk, place, "resource", name))
		read_body(walk, place, resource, resource->body, attribute);
}

static void read_repetition(struct walk *walk, const struct place *place,
	const struct plan_resource *resource)
{
	if (!resource || !enter(walk, place, "repetition", resource->address))
		return;
	read_later(walk, place, NULL, resource->count);
	read_later(walk, place, NULL, resource->for_each);
}

static void read_variable(struct walk *walk, const struct place *place,
	const struct plan_variable *variable)
{
	if (place->parent && enter(walk, place, "variable", variable->name))
		read_body(walk, place->parent, NULL, place->module->call->body, variable->name);
}

static void read_outputs(struct walk *walk, const struct place *place, const char *name)
{
	const struct plan_module *module = place->module;

	for (size_t i = 0; i < module->output_count; i++)
		if ((!name || strcmp(module->outputs[i]->name, name) == 0) &&
			enter(walk, place, "output", module->outputs[i]->name))
			read_later(walk, place, NULL, module->outputs[i]->expr);
}

/* ---- attributes found ---- */

/* The type a step into a value of the type gives; NULL: there is no such step. */
static const struct hcl_type *step_type(const struct hcl_type *type, const struct hcl_traverse *step)
{
	int index;

	switch (type->kind) {
	case HCL_DYNAMIC:
		return type;
	case HCL_OBJECT:
		index = step->name ? hcl_type_attribute(type, step->name, strlen(step->name)) : -1;
		return index < 0 ? NULL : type->attributes[index].type;
	case HCL_MAP:
		return type->element;
	case HCL_LIST:
		return step->name ? NULL : type->element;
	default:
		return NULL;
	}
}

/* How many of the steps the schema knows. */
static size_t known_steps(const struct provider_schema *schema, const struct hcl_traverse *steps,
	size_t count)
{
	const struct hcl_type *type = schema->type;
	size_t n = 0;

	for (; n < count && (type = step_type(type, &steps[n])); n++)
		;
	return n;
}

static void note(struct walk *walk, const char *resource, const struct hcl_traverse *steps, size_t count)
{
	struct plan_relevant_attribute *found = zp_arena_calloc(walk->arena, 1, sizeof(*found));
	zp_autobuf text = ZP_BUF_INIT;

	found->resource = resource;
	found->attribute.count = count;
	found->attribute.steps = zp_arena_calloc(walk->arena, count + 1, sizeof(struct hcl_step));
	for (size_t i = 0; i < count; i++)
		found->attribute.steps[i] = (struct hcl_step){ steps[i].name, steps[i].key };
	zp_buf_puts(&text, resource);
	zp_buf_char(&text, ' '); /* sorts an object before what is below it, and before those with longer names */
	hcl_path_text(&found->attribute, &text);
	const char *key = zp_arena_strndup(walk->arena, text.ptr, text.len);
	if (!zp_map_has(&walk->found, zp_str(key)))
		zp_map_set(&walk->found, zp_str(key), found);
}

static void refer_to_resource(struct walk *walk, const struct place *place,
	const struct plan_resource *resource, struct state_key key, const struct hcl_expr *expr)
{
	const struct hcl_traverse *steps = expr->traversal.steps;
	size_t used = resource->mode == PLAN_MANAGED ? 1 : 2, count = expr->traversal.count;
	zp_autobuf text = ZP_BUF_INIT;

	used += key.kind != STATE_NO_KEY;
	zp_buf_printf(&text, "%s%s%s", place->address, *place->address ? "." : "", resource->address);
	state_key_text(key, &text);
	if (resource->resource_type)
		note(walk, zp_arena_strndup(walk->arena, text.ptr, text.len), steps + used,
			known_steps(resource->resource_type->schema, steps + used, count - used));
	read_resource(walk, place, resource, used < count ? steps[used].name : NULL);
}

static void refer_to_call(struct walk *walk, const struct place *place, const struct plan_call *call,
	const struct hcl_expr *expr)
{
	const struct hcl_traverse *steps = expr->traversal.steps;
	struct state_key key = { .kind = STATE_NO_KEY };
	size_t used = 1;

	if (used < expr->traversal.count && !steps[used].name)
		key = plan_key_of(steps[used++].key);
	const struct place *called = called_place(walk, place, call, key);
	if (called)
		read_outputs(walk, called, used < expr->traversal.count ? steps[used].name : NULL);
}

static void refer(void *data, const struct hcl_expr *expr)
{
	struct walk *walk = data;
	const struct place *place = walk->at.place;
	const struct plan_module *module = place->module;
	struct plan_reference to;

	if (strcmp(expr->traversal.root, "each") == 0 || strcmp(expr->traversal.root, "count") == 0) {
		read_repetition(walk, place, walk->at.repeated);
		return;
	}
	if (!plan_resolve_static(module, expr, &to))
		return;
	switch (to.target) {
	case PLAN_TO_RESOURCE:
		refer_to_resource(walk, place, module->resources[to.index], to.key, expr);
		break;
	case PLAN_TO_CALL:
		refer_to_call(walk, place, module->calls[to.index], expr);
		break;
	case PLAN_TO_VARIABLE:
		read_variable(walk, place, module->variables[to.index]);
		break;
	case PLAN_TO_LOCAL:
		if (enter(walk, place, "local", module->locals[to.index]->name))
			read_later(walk, place, NULL, module->locals[to.index]->expr);
		break;
	}
}

/* ---- where it begins ---- */

static void begin_with(struct walk *walk, const struct plan *plan, const char *module, bool data,
	const char *type, const char *name)
{
	const struct place *place = place_of(walk, plan, module);

	if (!place)
		return;
	const char *key = zp_arena_format(walk->arena, "%s%s.%s", data ? "data." : "", type, name);
	const struct plan_resource *resource = zp_map_get(&place->module->resource_map, zp_str(key));
	if (resource)
		read_resource(walk, place, resource, NULL);
}

/* Destroying forgets what data sources said, which is a change that nobody is told of. */
static void begin_with_data(struct walk *walk, struct plan *plan)
{
	const struct state *state = plan->prior;

	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (object && object->resource->mode == STATE_DATA && plan_selects_object(plan, object))
			begin_with(walk, plan, object->resource->module, true, object->resource->type,
				object->resource->name);
	}
}

/* Outputs of modules are in no state: as far as there is a value it is always new. */
static void begin_with_modules(struct walk *walk, const struct plan *plan,
	const struct plan_scope_module *module)
{
	for (size_t i = 0; i < module->config->call_count; i++) {
		const struct plan_call_cell *call = &module->calls[i];
		for (uint32_t k = 0; call->instances && k < call->repetition.count; k++) {
			const struct plan_scope_module *called = call->instances[k];
			const struct place *place = place_of(walk, plan, called->address);
			for (size_t o = 0; place && o < called->config->output_count; o++)
				if (called->outputs[o].status == PLAN_DONE &&
					!hcl_is_null(called->outputs[o].value))
					read_outputs(walk, place, called->config->outputs[o]->name);
			begin_with_modules(walk, plan, called);
		}
	}
}

static void begin(struct walk *walk, struct plan *plan)
{
	size_t count;
	const struct plan_change *changes = plan_changes(plan, &count);
	for (size_t i = 0; i < count; i++)
		if (changes[i].action != PLAN_NO_OP)
			begin_with(walk, plan, changes[i].module, changes[i].mode == PLAN_DATA,
				changes[i].type, changes[i].name);

	const struct plan_output_change *outputs = plan_output_changes(plan, &count);
	for (size_t i = 0; i < count; i++)
		if (outputs[i].action != PLAN_NO_OP)
			read_outputs(walk, place_of(walk, plan, ""), outputs[i].name);
	if (plan->kind == PLAN_DESTROY)
		begin_with_data(walk, plan);
	else
		begin_with_modules(walk, plan, plan->root);
}

static int by_text(const void *a, const void *b)
{
	const struct zp_map_entry *x = a, *y = b;

	return strcmp(x->key.ptr, y->key.ptr);
}

const struct plan_relevant_attribute *plan_relevant_attributes(struct plan *plan, size_t *count)
{
	struct walk walk = { .arena = &plan->arena };

	begin(&walk, plan);
	while (walk.pending.count) {
		walk.at = walk.pending.items[--walk.pending.count];
		hcl_expr_references(walk.at.expr, refer, &walk);
	}
	*count = walk.found.count;
	struct plan_relevant_attribute *list = zp_arena_calloc(&plan->arena, *count + 1, sizeof(*list));
	zp_autofree struct zp_map_entry *entries = zp_calloc(*count + 1, sizeof(*entries));
	if (*count)
		memcpy(entries, walk.found.entries, *count * sizeof(*entries));
	qsort(entries, *count, sizeof(*entries), by_text);
	for (size_t i = 0; i < *count; i++)
		list[i] = *(struct plan_relevant_attribute *)entries[i].value;
	zp_map_release(&walk.places);
	zp_map_release(&walk.visited);
	zp_map_release(&walk.found);
	zp_vec_release(&walk.pending);
	return list;
}
