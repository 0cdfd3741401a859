/*
 * -target and -exclude: which part of everything a plan is about. Decided on the configuration, before
 * anything is evaluated: a target brings along what it refers to, an exclusion takes along what refers to it.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "planner/engine.h"
#include "planner/needs.h"
#include "state/address.h"

/* What is known of one resource block. */
enum { DIRECT = 1, NEEDED = 2 };

static bool is_limited(const struct plan *plan)
{
	return plan->target_count || plan->exclude_count;
}

bool plan_is_limited(const struct plan *plan)
{
	return is_limited(plan);
}

/* The address without its keys is the block, or a module around it. */
static bool covers_block(struct plan *plan, const struct state_address *address, const char *block)
{
	const char *own = plan_block_address(&plan->arena, address->text);
	size_t length = strlen(own);

	return strncmp(own, block, length) == 0 &&
		(!block[length] || (!address->is_resource && block[length] == '.'));
}

static bool any_covers(struct plan *plan, const struct state_address *list, size_t count,
	const char *block)
{
	for (size_t i = 0; i < count; i++)
		if (covers_block(plan, &list[i], block))
			return true;
	return false;
}

/* ---- choosing ---- */

static void mark(struct plan *plan, const char *block, uintptr_t flag)
{
	void **slot = zp_map_slot(&plan->selected, zp_str(block));

	*slot = (void *)((uintptr_t)*slot | flag);
}

/* Whatever is met on the way is needed. */
static void mark_needs(struct plan *plan, const struct plan_module *module,
	const struct plan_resource *resource)
{
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &plan->arena, .found = &found, .module = module,
		.root_variables = plan->selected_variables };
	const char *own = plan_block_name(&plan->arena, module, resource);

	plan_needs_of(&walk, resource);
	for (size_t i = 0; i < found.count; i++)
		if (!zp_str_is(found.entries[i].key, own))
			mark(plan, found.entries[i].key.ptr, NEEDED);
	plan_needs_release(&walk);
	zp_map_release(&found);
}

static bool stands_on_excluded(struct plan *plan, const struct plan_module *module,
	const struct plan_resource *resource)
{
	struct zp_map found = { 0 };
	struct plan_needs walk = { .arena = &plan->arena, .found = &found, .module = module };
	const char *own = plan_block_name(&plan->arena, module, resource);
	bool excluded = false;

	plan_needs_of(&walk, resource);
	for (size_t i = 0; i < found.count && !excluded; i++)
		excluded = !zp_str_is(found.entries[i].key, own) &&
			any_covers(plan, plan->excludes, plan->exclude_count, found.entries[i].key.ptr);
	plan_needs_release(&walk);
	zp_map_release(&found);
	return excluded;
}

static void choose(struct plan *plan, const struct plan_module *module)
{
	for (size_t i = 0; i < module->resource_count; i++) {
		const struct plan_resource *resource = module->resources[i];
		const char *block = plan_block_name(&plan->arena, module, resource);
		if (plan->target_count) {
			if (!any_covers(plan, plan->targets, plan->target_count, block))
				continue;
			mark(plan, block, DIRECT);
			mark_needs(plan, module, resource);
		} else if (!stands_on_excluded(plan, module, resource)) {
			mark(plan, block, DIRECT);
		}
	}
	for (size_t i = 0; i < module->call_count; i++)
		if (module->calls[i]->module)
			choose(plan, module->calls[i]->module);
}

static void needs_of_output(struct plan_needs *walk, const struct plan_output *output)
{
	plan_needs_of_expression(walk, output->expr);
	for (size_t i = 0; i < output->depends_on_count; i++)
		plan_needs_of_expression(walk, output->depends_on[i]);
	for (size_t i = 0; i < output->precondition_count; i++) {
		plan_needs_of_expression(walk, output->preconditions[i].condition);
		plan_needs_of_expression(walk, output->preconditions[i].error_message);
	}
}

/* The outputs of the root whose resources are all part of it. */
static void choose_outputs(struct plan *plan)
{
	const struct plan_module *root = plan->config->root;
	zp_autofree bool *variables = zp_calloc(root->variable_count + 1, sizeof(*variables));

	plan->selected_outputs = zp_new_array(&plan->arena, bool, root->output_count);
	for (size_t i = 0; i < root->output_count; i++) {
		struct zp_map found = { 0 };
		struct plan_needs walk = { .arena = &plan->arena, .found = &found, .module = root,
			.root_variables = variables };
		bool all = true;
		memset(variables, 0, root->variable_count * sizeof(*variables));
		needs_of_output(&walk, root->outputs[i]);
		for (size_t k = 0; k < found.count && all; k++)
			all = zp_map_has(&plan->selected, found.entries[k].key);
		plan->selected_outputs[i] = all && (found.count || !plan->target_count);
		for (size_t k = 0; plan->selected_outputs[i] && k < root->variable_count; k++)
			plan->selected_variables[k] |= variables[k];
		plan_needs_release(&walk);
		zp_map_release(&found);
	}
}

static bool contains_any(const struct state_address *list, size_t count,
	const struct state_object *object)
{
	for (size_t i = 0; i < count; i++)
		if (state_address_contains(&list[i], object))
			return true;
	return false;
}

/* Objects of one block that were chosen, by the instance of its module they are in. */
struct chosen {
	const char *block; /* that module, without keys */
	struct zp_map modules;
};

static void note_chosen(struct plan *plan, struct zp_map *direct, const char *block, const char *module)
{
	void **slot = zp_map_slot(direct, zp_str(block));

	if (!*slot) {
		struct chosen *chosen = zp_new(&plan->arena, struct chosen);
		chosen->block = plan_block_address(&plan->arena, module);
		*slot = chosen;
	}
	zp_map_set(&((struct chosen *)*slot)->modules, zp_str(module), plan);
}

/*
 * The state names blocks, without keys; but objects of one module stand on each other within one instance of
 * it only.
 */
static bool stands_on_chosen(struct plan *plan, const struct zp_map *direct, const struct state_object *object)
{
	const char *module = object->resource->module;

	for (size_t k = 0; k < object->dependency_count; k++) {
		const struct chosen *chosen = zp_map_get(direct, zp_str(object->dependencies[k]));
		if (chosen && (strcmp(chosen->block, plan_block_address(&plan->arena, module)) != 0 ||
			zp_map_has(&chosen->modules, zp_str(module))))
			return true;
	}
	return false;
}

static void release_chosen(struct zp_map *direct)
{
	for (size_t i = 0; i < direct->count; i++)
		zp_map_release(&((struct chosen *)direct->entries[i].value)->modules);
	zp_map_release(direct);
}

/*
 * Destroying takes along what stands on the targets, and keeps what an excluded object stands on; the state
 * remembers both.
 */
static void choose_doomed(struct plan *plan)
{
	const struct state *state = plan->prior;
	struct zp_map direct = { 0 }, kept = { 0 };

	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (!object)
			continue;
		if (contains_any(plan->targets, plan->target_count, object))
			note_chosen(plan, &direct, plan_block_address(&plan->arena,
				object->resource->address), object->resource->module);
		if (!contains_any(plan->excludes, plan->exclude_count, object))
			continue;
		for (size_t k = 0; k < object->dependency_count; k++)
			note_chosen(plan, &kept, object->dependencies[k], object->resource->module);
	}
	for (size_t i = 0; i < state->object_count; i++) {
		const struct state_object *object = state->objects[i];
		if (!object)
			continue;
		bool doomed = contains_any(plan->targets, plan->target_count, object);
		if (plan->target_count)
			doomed |= stands_on_chosen(plan, &direct, object);
		if (plan->exclude_count)
			doomed = !contains_any(plan->excludes, plan->exclude_count, object) &&
				!zp_map_has(&kept, zp_str(plan_block_address(
					&plan->arena, object->resource->address)));
		if (doomed)
			zp_map_set(&plan->doomed, zp_str(object->address), plan);
	}
	release_chosen(&direct);
	release_chosen(&kept);
}

static void warn(struct plan *plan)
{
	const char *flag = plan->target_count ? "-target" : "-exclude";

	zp_diag_warning(plan->diags, ZP_NOWHERE, plan->target_count ?
		"Resource targeting is in effect" : "Resource exclusion is in effect",
		"You are creating a plan with the %s option, which means that the result of this plan may "
		"not represent all of the changes requested by the current configuration.\n\nThe %s option "
		"is not for routine use, and is provided only for exceptional situations such as recovering "
		"from errors or mistakes, or when zplan specifically suggests to use it as part of an error "
		"message.", flag, flag);
}

void plan_choose(struct plan *plan)
{
	if (!is_limited(plan))
		return;
	plan->selected_variables =
		zp_new_array(&plan->arena, bool, plan->config->root->variable_count);
	choose(plan, plan->config->root);
	choose_outputs(plan);
	if (plan->kind == PLAN_DESTROY)
		choose_doomed(plan);
	if (!plan->loaded)
		warn(plan);
}

/* ---- asking ---- */

bool plan_selects_block(const struct plan *plan, const char *block)
{
	return !is_limited(plan) || plan->kind == PLAN_DESTROY ||
		zp_map_has(&plan->selected, zp_str(block));
}

/* Some of a block's instances: what was asked for by key, unless all are needed. */
bool plan_selects_instance(const struct plan *plan, const struct plan_instance *instance)
{
	const char *block = instance->resource->block;
	uintptr_t flags = (uintptr_t)zp_map_get(&plan->selected, zp_str(block));
	struct state_resource resource = { .module = instance->cell.module->address,
		.mode = instance->resource->config->mode == PLAN_DATA ? STATE_DATA : STATE_MANAGED,
		.type = instance->resource->config->type, .name = instance->resource->config->name };
	struct state_object object = { .resource = &resource, .key = instance->key,
		.address = instance->address };

	if (!is_limited(plan))
		return true;
	if (plan->kind == PLAN_DESTROY)
		return zp_map_has(&plan->doomed, zp_str(instance->address));
	if (plan->exclude_count)
		return flags && !contains_any(plan->excludes, plan->exclude_count, &object);
	/* Of a block that was named, only the instances that were; of what it needs, all. */
	return flags & DIRECT ? contains_any(plan->targets, plan->target_count, &object) : flags & NEEDED;
}

bool plan_selects_object(struct plan *plan, const struct state_object *object)
{
	if (!is_limited(plan))
		return true;
	if (plan->kind == PLAN_DESTROY)
		return zp_map_has(&plan->doomed, zp_str(object->address));
	if (plan->exclude_count)
		return !contains_any(plan->excludes, plan->exclude_count, object);
	return contains_any(plan->targets, plan->target_count, object) ||
		((uintptr_t)zp_map_get(&plan->selected, zp_str(plan_block_address(
			&plan->arena, object->resource->address))) & NEEDED);
}

/* ---- the options ---- */

static bool read_all(struct plan *plan, const char *flag, const char *const *texts, size_t count,
	struct state_address **out)
{
	size_t errors = plan->diags->errors;

	*out = zp_new_array(&plan->arena, struct state_address, count);
	for (size_t i = 0; i < count; i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		const char *text = zp_arena_strdup(&plan->arena, texts[i]);
		if (!state_address_parse(text, &plan->arena, &(*out)[i], &err))
			zp_diag_error(plan->diags, ZP_NOWHERE, zp_arena_format(&plan->arena,
				"Invalid %s \"%s\"", flag, text), "%s", zp_error_text(&err));
	}
	return plan->diags->errors == errors;
}

bool plan_take_targets(struct plan *plan, const struct plan_options *options)
{
	if (options->target_count && options->exclude_count) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "Invalid combination of arguments",
			"-target and -exclude flags cannot be used together. Please remove one of the flags.");
		return false;
	}
	plan->target_count = options->target_count;
	plan->exclude_count = options->exclude_count;
	return read_all(plan, "target", options->targets, options->target_count, &plan->targets) &&
		read_all(plan, "exclude", options->excludes, options->exclude_count, &plan->excludes);
}
