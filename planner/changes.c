/* The lists people and machines look at: what changes, sorted by address. */
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/number.h"
#include "planner/engine.h"
#include "state/address.h"

static const struct provider_resource_type *stored_type(const struct state_resource *resource)
{
	const struct provider *provider = provider_for_type(resource->type);

	return provider ? provider_resource(provider, resource->type, resource->mode == STATE_DATA) :
			  NULL;
}

static struct plan_scope_module *find_module(struct plan *plan, const char *address,
	struct plan_scope_module *from)
{
	if (strcmp(from->address, address) == 0)
		return from;
	for (size_t i = 0; i < from->config->call_count; i++) {
		struct plan_call_cell *call = &from->calls[i];
		for (uint32_t k = 0; call->cell.status == PLAN_DONE && k < call->repetition.count; k++) {
			struct plan_scope_module *child = call->instances[k];
			size_t n = strlen(child->address);
			if (strncmp(child->address, address, n) == 0 &&
				(!address[n] || address[n] == '.'))
				return find_module(plan, address, child);
		}
	}
	return NULL;
}

static const struct plan_resource_cell *find_resource(struct plan *plan,
	const struct state_resource *stored)
{
	struct plan_scope_module *module = find_module(plan, stored->module, plan->root);
	const char *name = stored->address + (*stored->module ? strlen(stored->module) + 1 : 0);

	if (!module)
		return NULL;
	const struct plan_resource *config =
		zp_map_get(&module->config->resource_map, zp_str(name));
	return config ? &module->resources[config->index] : NULL;
}

/* Whether a block declares it, even if its module has no such instance now. */
static bool is_in_config(struct plan *plan, const struct state_resource *stored)
{
	const struct plan_module *module = plan->config->root;
	const char *path = plan_block_address(&plan->arena, stored->module);
	const char *name = stored->address + (*stored->module ? strlen(stored->module) + 1 : 0);

	while (module && *path) {
		const char *start = path + strlen("module.");
		size_t length = strcspn(start, ".");
		const struct plan_call *call = zp_map_get(&module->call_map, zp_strn(start, length));
		module = call ? call->module : NULL;
		path = start + length + (start[length] == '.');
	}
	return module && zp_map_has(&module->resource_map, zp_str(name));
}

static enum plan_reason why_deleted(struct plan *plan, const struct state_object *object)
{
	const struct plan_resource_cell *resource = find_resource(plan, object->resource);

	if (plan->kind == PLAN_DESTROY)
		return PLAN_REASON_NONE;
	if (!resource)
		return is_in_config(plan, object->resource) ? PLAN_DELETE_BECAUSE_NO_MODULE :
			plan_moved_from(plan, object->address) ? PLAN_DELETE_BECAUSE_NO_MOVE_TARGET :
			PLAN_DELETE_BECAUSE_NO_RESOURCE_CONFIG;
	if (object->key.kind != resource->repetition.kind)
		return PLAN_DELETE_BECAUSE_WRONG_REPETITION;
	return object->key.kind == STATE_INT_KEY ? PLAN_DELETE_BECAUSE_COUNT_INDEX :
						   PLAN_DELETE_BECAUSE_EACH_KEY;
}

static void add_orphan(struct plan *plan, const struct state_object *object)
{
	const struct provider_resource_type *type = stored_type(object->resource);
	struct plan_orphan orphan = { .stored = object, .type = type, .action = PLAN_DELETE };
	zp_autoerror err = ZP_ERROR_INIT;

	if (!type) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Provider not available",
			"The state has %s, and zplan has no provider for it. Remove it from the "
			"state, or use the program that made it.", object->address);
		return;
	}
	if (object->resource->mode == STATE_DATA)
		return; /* nothing to destroy: it is merely not kept */
	if (!plan_decode_object(object, type->schema, &plan->arena, &orphan.prior, &err)) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Failed to decode resource from state", "%s",
			zp_error_text(&err));
		return;
	}
	if (!plan_provider_is_there(plan, plan_provider_of(plan, object->resource), object->address,
		    " (orphan)"))
		return;
	if (!object->deposed) {
		const struct plan_resource_cell *resource = find_resource(plan, object->resource);
		orphan.reason = why_deleted(plan, object);
		orphan.removed = resource ? NULL : plan_find_removed(plan, object->resource);
		if (orphan.removed && !orphan.removed->destroy && plan->kind == PLAN_NORMAL)
			orphan.action = PLAN_FORGET;
		if (orphan.action == PLAN_FORGET && orphan.reason != PLAN_DELETE_BECAUSE_NO_MOVE_TARGET)
			orphan.reason = PLAN_DELETE_BECAUSE_NO_RESOURCE_CONFIG;
		if (resource && resource->config->lifecycle.prevent_destroy)
			plan_report_prevented(plan, resource->config, object->address);
	}
	zp_vec_push(&plan->orphans, orphan);
}

/* A limited plan does not meet all objects that are wanted. */
static bool is_declared(struct plan *plan, const struct state_object *object)
{
	const struct plan_resource_cell *resource =
		plan_is_limited(plan) && !object->deposed && plan->kind == PLAN_NORMAL ?
		find_resource(plan, object->resource) : NULL;

	return resource && resource->expand.status == PLAN_DONE &&
		plan_repetition_find_key(&resource->repetition, object->key) >= 0;
}

void plan_find_orphans(struct plan *plan)
{
	struct zp_map wanted = { 0 };

	if (plan->kind == PLAN_REFRESH_ONLY)
		return;
	for (size_t i = 0; i < plan->instances.count; i++)
		if (plan->instances.items[i]->stored)
			zp_map_set(&wanted, zp_str(plan->instances.items[i]->address),
				plan->instances.items[i]);
	for (size_t i = 0; i < plan->prior->object_count; i++) {
		const struct state_object *object = plan->prior->objects[i];
		if (object && (object->deposed || !zp_map_has(&wanted, zp_str(object->address))) &&
			plan_selects_object(plan, object) && !is_declared(plan, object))
			add_orphan(plan, object);
	}
	zp_map_release(&wanted);
}

static struct plan_change change_of(struct plan *plan, const struct plan_instance *instance)
{
	const struct plan_resource *config = instance->resource->config;

	return (struct plan_change){
		.address = instance->address,
		.previous_address = plan->kind == PLAN_DESTROY ? NULL :
			plan_moved_from(plan, instance->address),
		.import_id = plan_import_id(plan, instance->address),
		.generated = zp_map_get(&plan->generated, zp_str(instance->address)),
		.module = instance->cell.module->address,
		.mode = config->mode,
		.type = config->type,
		.name = config->name,
		.key = instance->key,
		.provider = config->provider,
		.provider_address = config->provider->source,
		.schema = config->resource_type->schema,
		.action = instance->action,
		.reason = instance->reason,
		.before = instance->prior,
		.after = instance->planned,
		.replace = instance->replace,
		.replace_count = instance->replace_count,
	};
}

static void add_instance(struct plan *plan, const struct plan_instance *instance)
{
	if (instance->resource->config->mode == PLAN_DATA && instance->action != PLAN_READ)
		return;
	if (hcl_is_null(instance->prior) && instance->action == PLAN_NO_OP)
		return;
	struct plan_change change = change_of(plan, instance);
	/* A plan that only looks changes nothing; what is called otherwise now it tells. */
	if (plan->kind != PLAN_REFRESH_ONLY)
		zp_vec_push(&plan->changes, change);
	else if (change.previous_address)
		zp_vec_push(&plan->moved_changes, change);
}

static void add_orphan_change(struct plan *plan, const struct plan_orphan *orphan)
{
	const struct state_resource *resource = orphan->stored->resource;
	const struct provider *provider = provider_for_type(resource->type);
	struct plan_change change = {
		.address = orphan->stored->address,
		.previous_address = plan->kind == PLAN_DESTROY ? NULL :
			plan_moved_from(plan, orphan->stored->address),
		.module = resource->module,
		.mode = PLAN_MANAGED,
		.type = resource->type,
		.name = resource->name,
		.key = orphan->stored->key,
		.deposed = orphan->stored->deposed,
		.provider = provider,
		.provider_address = provider->source,
		.schema = orphan->type->schema,
		.action = orphan->action,
		.reason = orphan->reason,
		.before = orphan->prior,
		.after = hcl_null(orphan->type->schema->type),
	};

	zp_vec_push(&plan->changes, change);
}

static int change_order(const void *x, const void *y)
{
	const struct plan_change *a = x, *b = y;
	int order = state_module_compare(a->module, b->module);

	if (!order)
		order = (int)(b->mode == PLAN_DATA) - (int)(a->mode == PLAN_DATA);
	if (!order)
		order = strcmp(a->type, b->type);
	if (!order)
		order = strcmp(a->name, b->name);
	if (!order && a->key.kind != b->key.kind)
		order = (int)a->key.kind - (int)b->key.kind;
	if (!order && a->key.kind == STATE_INT_KEY)
		order = (a->key.number > b->key.number) - (a->key.number < b->key.number);
	if (!order && a->key.kind == STATE_STRING_KEY)
		order = zp_str_compare(a->key.text, b->key.text);
	if (!order)
		order = strcmp(a->deposed ? a->deposed : "", b->deposed ? b->deposed : "");
	return order;
}

static const struct state_output *stored_output(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->prior->output_count; i++)
		if (strcmp(plan->prior->outputs[i].name, name) == 0)
			return &plan->prior->outputs[i];
	return NULL;
}

static struct hcl_value output_value(struct plan *plan, const struct state_output *output)
{
	struct hcl_value value = hcl_null(hcl_dynamic);
	const struct hcl_type *type = output ? hcl_type_from_json(output->type) : NULL;
	struct zp_json json;

	if (!type)
		return value;
	zp_json_init(&json, output->value);
	if (!hcl_value_from_json(&json, &plan->arena, type, &value))
		value = hcl_null(hcl_dynamic);
	zp_json_release(&json);
	return value;
}

static void add_output(struct plan *plan, const char *name, const struct plan_output *config,
	struct hcl_value after)
{
	const struct state_output *stored = stored_output(plan, name);
	struct plan_output_change change = {
		.name = name,
		.before = output_value(plan, stored),
		.after = hcl_is_null(after) ? hcl_null(hcl_dynamic) :
			hcl_unmark_deep(&plan->arena, after, HCL_ALL_MARKS),
		.sensitive = config ? config->sensitive : stored && stored->sensitive,
		.before_sensitive = stored && stored->sensitive,
	};

	if (!stored)
		change.action = hcl_is_null(change.after) ? PLAN_NO_OP : PLAN_CREATE;
	else if (!config || plan->kind == PLAN_DESTROY)
		change.action = PLAN_DELETE;
	else if (!hcl_value_identical(change.before, change.after) ||
		change.sensitive != change.before_sensitive)
		change.action = PLAN_UPDATE;
	zp_vec_push(&plan->output_changes, change);
}

static int output_order(const void *x, const void *y)
{
	return strcmp(((const struct plan_output_change *)x)->name,
		((const struct plan_output_change *)y)->name);
}

void plan_refuse_unmarked_sensitive(struct zp_diags *diags, const struct plan_output *output,
	struct hcl_value value)
{
	if (output->sensitive || !(value.inside & HCL_SENSITIVE))
		return;
	zp_diag_error(diags, output->range, "Output refers to sensitive values",
		"To reduce the risk of accidentally exporting sensitive data that was intended to be "
		"only internal, zplan requires that any root module output containing sensitive data "
		"be explicitly marked as sensitive, to confirm your intent.\n\nIf you do intend to "
		"export this data, annotate the output value as sensitive by adding the following "
		"argument:\n    sensitive = true");
}

bool plan_refuse_infinity(struct plan *plan, const struct plan_output *output, struct hcl_value value)
{
	if (!hcl_has_infinity(value))
		return false;
	zp_diag_error(plan->diags, output->range, "Infinite number",
		"The value of output \"%s\" holds an infinite number, such as 1/0 gives. A state can not "
		"hold one.", output->name);
	return true;
}

static void collect_outputs(struct plan *plan)
{
	const struct plan_module *root = plan->config->root;

	for (size_t i = 0; i < root->output_count; i++) {
		struct hcl_value value = hcl_null(hcl_dynamic);
		if (plan_is_limited(plan) &&
			(plan->kind == PLAN_DESTROY || !plan->selected_outputs[i]))
			continue;
		if (plan->kind != PLAN_DESTROY) {
			value = plan_cell_value(plan, &plan->root->outputs[i]);
			plan_refuse_unmarked_sensitive(plan->diags, root->outputs[i], value);
			plan_refuse_infinity(plan, root->outputs[i], value);
		} else if (!stored_output(plan, root->outputs[i]->name)) {
			continue; /* there is nothing to go */
		}
		add_output(plan, root->outputs[i]->name, root->outputs[i], value);
	}
	for (size_t i = 0; i < plan->prior->output_count && !plan_is_limited(plan); i++)
		if (!zp_map_has(&root->output_map, zp_str(plan->prior->outputs[i].name)))
			add_output(plan, plan->prior->outputs[i].name, NULL, hcl_null(hcl_dynamic));
	if (plan->output_changes.count)
		qsort(plan->output_changes.items, plan->output_changes.count,
			sizeof(*plan->output_changes.items), output_order);
}

void plan_collect_changes(struct plan *plan)
{
	for (size_t i = 0; i < plan->instances.count; i++)
		add_instance(plan, plan->instances.items[i]);
	for (size_t i = 0; i < plan->orphans.count; i++)
		add_orphan_change(plan, &plan->orphans.items[i]);
	if (plan->changes.count)
		qsort(plan->changes.items, plan->changes.count, sizeof(*plan->changes.items),
			change_order);
	collect_outputs(plan);
}

const struct plan_change *plan_moved_changes(const struct plan *plan, size_t *count)
{
	*count = plan->moved_changes.count;
	return plan->moved_changes.items;
}

const struct plan_config *plan_configuration(const struct plan *plan)
{
	return plan->config;
}

const char *plan_created(const struct plan *plan)
{
	return plan->created;
}

const struct hcl_value *plan_root_value(const struct plan *plan, uint32_t index)
{
	const struct hcl_value *given = &plan->given_values[index];
	const struct plan_variable *variable = plan->config->root->variables[index];

	if (given->type)
		return variable->ephemeral ? NULL : given;
	return variable->has_default ? &variable->default_value : NULL;
}

const struct plan_change *plan_changes(const struct plan *plan, size_t *count)
{
	*count = plan->changes.count;
	return plan->changes.items;
}

const struct plan_output_change *plan_output_changes(const struct plan *plan, size_t *count)
{
	*count = plan->output_changes.count;
	return plan->output_changes.items;
}

const struct plan_drift *plan_drifts(const struct plan *plan, size_t *count)
{
	*count = plan->drifts.count;
	return plan->drifts.items;
}

const struct state *plan_state(const struct plan *plan)
{
	return plan->prior;
}

enum plan_kind plan_kind(const struct plan *plan)
{
	return plan->kind;
}

bool plan_errored(const struct plan *plan)
{
	return plan->errored;
}

bool plan_is_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes.count; i++)
		if (plan->changes.items[i].action != PLAN_NO_OP ||
			plan->changes.items[i].previous_address || plan->changes.items[i].import_id)
			return false;
	for (size_t i = 0; i < plan->output_changes.count; i++)
		if (plan->output_changes.items[i].action != PLAN_NO_OP)
			return false;
	return plan->kind != PLAN_REFRESH_ONLY || !plan->drifts.count;
}
