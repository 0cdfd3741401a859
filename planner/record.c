/* What an apply records beside the outcomes of its operations. */
#include "hcl-lite/codec.h"
#include "planner/apply.h"

/* What refresh found out is recorded whatever happens afterwards. */
void plan_record_drift(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;

	for (size_t i = 0; i < plan->drifts.count; i++) {
		const struct plan_change *change = &plan->drifts.items[i].change;
		const struct state_object *now =
			state_find(plan->prior, change->address, change->deposed);
		if (!now) {
			state_remove(execution->state, change->address, change->deposed);
			continue;
		}
		struct state_object copy = *now;
		copy.resource = state_resource(execution->state, now->resource->module,
			now->resource->mode, now->resource->type, now->resource->name,
			now->resource->provider);
		state_set(execution->state, &copy);
	}
}

void plan_record_adopted(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;

	for (size_t i = 0; i < plan->imports.count; i++) {
		const char *address = plan->imports.entries[i].key.ptr;
		const struct state_object *found = state_find(plan->prior, address, NULL);
		if (!found)
			continue;
		struct state_object copy = *found;
		copy.resource = state_resource(execution->state, found->resource->module,
			found->resource->mode, found->resource->type, found->resource->name,
			found->resource->provider);
		state_set(execution->state, &copy);
		const char *id = plan->imports.entries[i].value;
		plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_IMPORTING, .address = address,
			.id_key = "id", .id_value = id });
		plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_IMPORTED, .address = address,
			.id_key = "id", .id_value = id });
	}
	for (size_t i = 0; i < plan->orphans.count; i++)
		if (plan->orphans.items[i].action == PLAN_FORGET)
			state_remove(execution->state, plan->orphans.items[i].stored->address, NULL);
}

static void store_output(struct plan_execution *execution, const struct plan_output *output,
	struct hcl_value value)
{
	zp_autobuf json = ZP_BUF_INIT, type = ZP_BUF_INIT;
	struct zp_json_writer writer;

	value = hcl_unmark_deep(&execution->plan->arena, value, HCL_ALL_MARKS);
	if (plan_refuse_infinity(execution->plan, output, value))
		return;
	if (hcl_is_null(value)) {
		state_remove_output(execution->state, output->name);
		return;
	}
	zp_json_writer_init(&writer, &json, false);
	writer.exact_integers = true;
	hcl_value_to_json(&writer, value, value.type);
	hcl_type_to_json(value.type, &type);
	state_set_output(execution->state, output->name, zp_buf_slice(&json), zp_buf_slice(&type),
		output->sensitive);
}

/* What was known before anything was done holds, whatever came of the rest. */
static void store_planned_outputs(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;

	for (size_t i = 0; i < plan->output_changes.count; i++) {
		const struct plan_output_change *change = &plan->output_changes.items[i];
		const struct plan_output *output =
			zp_map_get(&plan->config->root->output_map, zp_str(change->name));
		if (output && !output->ephemeral && change->action != PLAN_DELETE &&
			hcl_is_wholly_known(change->after))
			store_output(execution, output, change->after);
	}
}

static void store_outputs(struct plan_execution *execution, bool all_well)
{
	struct plan *plan = execution->plan;
	const struct plan_module *root = plan->config->root;

	for (size_t i = 0; i < plan->output_changes.count && all_well; i++)
		if (plan->output_changes.items[i].action == PLAN_DELETE)
			state_remove_output(execution->state, plan->output_changes.items[i].name);
	if (plan->kind == PLAN_DESTROY)
		return;
	store_planned_outputs(execution);
	for (size_t i = 0; i < root->output_count; i++) {
		struct plan_cell *cell = &plan->root->outputs[i];
		const struct plan_node *node = &execution->graph.nodes[cell->number];
		if (plan_is_limited(plan) && !plan->selected_outputs[i])
			continue;
		if (root->outputs[i]->ephemeral || node->status != PLAN_NODE_FINISHED)
			continue;
		struct hcl_value value = plan_cell_value(plan, cell);
		if (hcl_is_wholly_known(value))
			store_output(execution, root->outputs[i], value);
	}
}

void plan_store_data(struct plan *plan, struct state *state, bool applied)
{
	for (size_t i = 0; i < plan->instances.count; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		const struct plan_resource *config = instance->resource->config;
		/* What is read while applying was recorded there. */
		if (config->mode != PLAN_DATA || (applied && instance->action == PLAN_READ))
			continue;
		struct hcl_value value = instance->read_failure ?
			plan_without_unknown(&plan->arena, instance->planned) : instance->planned;
		if (plan->kind == PLAN_DESTROY || !hcl_is_wholly_known(value)) {
			state_remove(state, instance->address, NULL);
			continue;
		}
		zp_autobuf attributes = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
		plan_encode_attributes(config->resource_type->schema, value, &attributes);
		plan_encode_sensitive(value, &sensitive);
		struct state_object object = {
			.resource = state_resource(state,
				instance->cell.module->address, STATE_DATA, config->type, config->name,
				plan_provider_address(plan, config->provider, NULL)),
			.key = instance->key,
			.schema_version = config->resource_type->schema->version,
			.attributes = zp_buf_slice(&attributes),
			.sensitive_attributes = zp_buf_slice(&sensitive),
		};
		state_set(state, &object);
	}
}

static struct plan_names *all_of(struct zp_arena *arena, const char *const *names, size_t count)
{
	struct plan_names *all = zp_new(arena, struct plan_names);

	all->items = (const char **)names;
	all->count = count;
	return all;
}

/* The sorted union of two sorted lists. */
static struct plan_names *unite(struct zp_arena *arena, const struct state_object *object,
	const char *const *names, size_t count)
{
	struct plan_names *united = zp_new(arena, struct plan_names);
	size_t i = 0, k = 0;

	united->items = zp_new_array(arena, const char *, object->dependency_count + count);
	while (i < object->dependency_count || k < count) {
		int order = i == object->dependency_count ? 1 :
			k == count			  ? -1 :
							    strcmp(object->dependencies[i], names[k]);
		united->items[united->count++] = order <= 0 ? object->dependencies[i] : names[k];
		i += order <= 0;
		k += order >= 0;
	}
	return united;
}

static bool same_names(const struct state_object *object, const char *const *names, size_t count)
{
	if (object->dependency_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(object->dependencies[i], names[i]) != 0)
			return false;
	return true;
}

/*
 * An object that stays as it is may stand on others than before: the order of its end depends on it. One that was
 * to change and was not reached stands on both.
 */
static void store_order(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;

	for (size_t i = 0; i < plan->instances.count && plan->kind == PLAN_NORMAL; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		const struct plan_node *node = &execution->graph.nodes[instance->cell.number];
		bool finished = node->status == PLAN_NODE_FINISHED;
		size_t count;
		if (instance->resource->config->mode != PLAN_MANAGED ||
			(finished ? instance->action != PLAN_NO_OP : !plan->refreshed || !node->blocked))
			continue;
		struct state_object *object = state_find(execution->state, instance->address, NULL);
		const char *const *names = plan_dependencies(plan, instance->resource, &count);
		if (object && !finished && !same_names(object, names, count)) {
			const struct plan_names *both = unite(&plan->arena, object, names, count);
			names = both->items;
			count = both->count;
		}
		if (!object || (same_names(object, names, count) &&
			object->create_before_destroy == instance->create_before_destroy))
			continue;
		struct state_object changed = *object;
		changed.create_before_destroy = instance->create_before_destroy;
		changed.dependencies = names;
		changed.dependency_count = count;
		state_set(execution->state, &changed);
	}
}

void plan_refreshed_dependencies(struct plan *plan, struct zp_map *by_address)
{
	for (size_t i = 0; i < plan->instances.count && plan->refreshed; i++) {
		const struct plan_instance *instance = plan->instances.items[i];
		const struct state_object *stored = instance->stored;
		/* What changes stands on both until it has changed. */
		bool both = plan->kind == PLAN_REFRESH_ONLY || instance->action != PLAN_NO_OP;
		size_t count;
		if (!stored || instance->resource->config->mode != PLAN_MANAGED ||
			(plan->kind != PLAN_DESTROY && !plan_selects_instance(plan, instance)))
			continue;
		const char *const *names = plan_dependencies(plan, instance->resource, &count);
		if (!same_names(stored, names, count))
			zp_map_set(by_address, zp_str(stored->address),
				plan->kind == PLAN_DESTROY || !both ?
					all_of(&plan->arena, names, count) :
					unite(&plan->arena, stored, names, count));
	}
}

void plan_record_rest(struct plan_execution *execution, bool all_well)
{
	plan_store_data(execution->plan, execution->state, true);
	store_order(execution);
	store_outputs(execution, all_well);
}
