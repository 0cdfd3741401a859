/* replace_triggered_by: references whose change means replacement. */
#include "planner/engine.h"

/* A reference taken apart: the resource, maybe one instance of it, maybe a place in that. */
struct trigger {
	const char *root;
	ZP_VEC(, struct hcl_traverse) steps;
};

/* False when it is no chain of names and indexes. The parser bounded how deep it nests. */
static bool flatten(struct plan_scope *scope, const struct hcl_expr *expr, struct trigger *out)
{
	switch (expr->kind) {
	case HCL_EXPR_TRAVERSAL:
		out->root = expr->traversal.root;
		for (size_t i = 0; i < expr->traversal.count; i++)
			zp_vec_push(&out->steps, expr->traversal.steps[i]);
		return true;
	case HCL_EXPR_RELATIVE:
		if (!flatten(scope, expr->relative.source, out))
			return false;
		for (size_t i = 0; i < expr->relative.count; i++)
			zp_vec_push(&out->steps, expr->relative.steps[i]);
		return true;
	case HCL_EXPR_INDEX: {
		if (!flatten(scope, expr->index.collection, out))
			return false;
		struct hcl_traverse step = { .key = plan_evaluate(scope, expr->index.key) };
		zp_vec_push(&out->steps, step);
		return true;
	}
	default:
		return false;
	}
}

/* What a path leads to; false where there is no such place. */
static bool place_of(struct hcl_value object, const struct hcl_traverse *steps, size_t count,
	struct hcl_value *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct hcl_traverse *step = &steps[i];
		int64_t index;
		if (object.state != HCL_KNOWN) {
			*out = object;
			return object.state == HCL_UNKNOWN;
		}
		if (step->name) {
			if (object.type->kind != HCL_OBJECT ||
				!hcl_value_attribute(object, step->name, &object))
				return false;
		} else if (step->key.type == hcl_string && object.type->kind == HCL_MAP) {
			if (!hcl_map_lookup(object, hcl_text(step->key), &object))
				return false;
		} else if (step->key.type == hcl_number && hcl_type_is_sequence(object.type) &&
			object.type->kind != HCL_SET && hcl_number_to_int(step->key, &index) &&
			index >= 0 && index < object.count) {
			object = object.elements[index];
		} else {
			return false;
		}
	}
	*out = object;
	return true;
}

/* Only what changes in being triggers: an object that is new, or goes for good, does not. */
static bool is_changing(const struct plan_instance *instance)
{
	return instance->action == PLAN_UPDATE || instance->action == PLAN_DELETE_CREATE ||
		instance->action == PLAN_CREATE_DELETE;
}

static bool is_place_changing(const struct plan_instance *instance,
	const struct hcl_traverse *steps, size_t count)
{
	struct hcl_value before, after;

	if (!is_changing(instance))
		return false;
	bool was = place_of(instance->prior, steps, count, &before);
	bool is = place_of(instance->planned, steps, count, &after);
	return was != is || (was && !hcl_value_identical(before, after));
}

static bool fires(struct plan *plan, struct plan_resource_cell *resource,
	const struct hcl_traverse *steps, size_t count)
{
	int64_t found = -1;

	if (!plan_cell_ok(plan, &resource->expand))
		return false;
	if (resource->repetition.kind == STATE_NO_KEY) {
		found = 0;
	} else if (count && !steps->name) {
		found = plan_repetition_find(&resource->repetition, steps->key);
		if (found < 0)
			return false;
		steps++;
		count--;
	}
	if (found >= 0) {
		struct plan_instance *instance = &resource->instances[found];
		return plan_cell_ok(plan, &instance->cell) && is_place_changing(instance, steps, count);
	}
	plan_cell_ok(plan, &resource->cell);
	for (uint32_t i = 0; i < resource->repetition.count; i++)
		if (is_changing(&resource->instances[i]))
			return true;
	return false;
}

bool plan_is_triggered(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_lifecycle *lifecycle = &instance->resource->config->lifecycle;
	struct plan_scope_module *module = instance->cell.module;
	struct plan_scope scope;
	bool triggered = false;

	plan_scope_init(&scope, plan, module, instance->key, instance->each_value);
	/* All are looked at, whichever fires: each is a need of the instance. */
	for (size_t i = 0; i < lifecycle->replace_triggered_count; i++) {
		struct trigger trigger = { 0 };
		struct hcl_expr traversal = { .kind = HCL_EXPR_TRAVERSAL };
		struct plan_reference target;
		if (flatten(&scope, lifecycle->replace_triggered_by[i], &trigger)) {
			traversal.traversal.root = trigger.root;
			traversal.traversal.steps = trigger.steps.items;
			traversal.traversal.count = (uint32_t)trigger.steps.count;
			if (plan_resolve_static(module->config, &traversal, &target) &&
				target.target == PLAN_TO_RESOURCE)
				triggered |= fires(plan, &module->resources[target.index],
					trigger.steps.items + 1, trigger.steps.count - 1);
		}
		zp_vec_release(&trigger.steps);
	}
	return triggered;
}
