/* What names mean inside a module instance. */
#include "planner/engine.h"

static bool not_declared(struct hcl_evaluation *ev, const struct hcl_reference *ref, const char *what)
{
	zp_diag_error(ev->diags, ref->range, "Invalid reference", "%s \"%s\" is not declared here.", what,
		ref->count && ref->steps[0].name ? ref->steps[0].name : ref->root);
	return false;
}

static bool resolve_variable(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value)
{
	const char *name = ref->count ? ref->steps[0].name : NULL;
	const struct plan_variable *variable = name ?
		zp_map_get(&scope->module->config->variable_map, zp_str(name)) : NULL;

	if (!variable)
		return not_declared(ev, ref, "Variable");
	*value = plan_cell_value(scope->plan, &scope->module->variables[variable->index]);
	return true;
}

static bool resolve_local(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value)
{
	const char *name = ref->count ? ref->steps[0].name : NULL;
	const struct plan_local *local =
		name ? zp_map_get(&scope->module->config->local_map, zp_str(name)) : NULL;

	if (!local)
		return not_declared(ev, ref, "Local value");
	*value = plan_cell_value(scope->plan, &scope->module->locals[local->index]);
	return true;
}

static bool resolve_path(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value)
{
	struct zp_arena *arena = &scope->plan->arena;
	const char *name = ref->count ? ref->steps[0].name : NULL;
	char cwd[4096];

	if (!name)
		return not_declared(ev, ref, "Path");
	if (strcmp(name, "module") == 0)
		*value = hcl_string_cstr(arena, scope->module->config->dir);
	else if (strcmp(name, "root") == 0)
		*value = hcl_string_cstr(arena, scope->plan->root->config->dir);
	else if (strcmp(name, "cwd") == 0 && getcwd(cwd, sizeof(cwd)))
		*value = hcl_string_cstr(arena, cwd);
	else
		return not_declared(ev, ref, "Path");
	return true;
}

static bool resolve_terraform(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value)
{
	const char *name = ref->count ? ref->steps[0].name : NULL;

	if (name && strcmp(name, "workspace") == 0)
		*value = hcl_string_cstr(&scope->plan->arena, scope->plan->workspace);
	else if (name && strcmp(name, "applying") == 0)
		*value = hcl_mark(hcl_bool_value(scope->plan->applying), HCL_EPHEMERAL);
	else
		return not_declared(ev, ref, "Terraform attribute");
	return true;
}

static bool resolve_repetition(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value)
{
	const char *name = ref->count && ref->steps[0].name ? ref->steps[0].name : "";
	bool each = strcmp(ref->root, "each") == 0;

	if (each && scope->key.kind == STATE_STRING_KEY && strcmp(name, "key") == 0)
		*value = hcl_string_value(&scope->plan->arena, scope->key.text);
	else if (each && scope->key.kind == STATE_STRING_KEY && strcmp(name, "value") == 0)
		*value = scope->each_value;
	else if (!each && scope->key.kind == STATE_INT_KEY && strcmp(name, "index") == 0)
		*value = hcl_int_value(scope->key.number);
	else
		return not_declared(ev, ref, each ? "each attribute" : "count attribute");
	return true;
}

/* All instances as one value: a tuple, or an object by key. Made once. */
static struct hcl_value aggregate(struct plan *plan, struct plan_resource_cell *resource)
{
	uint32_t count = resource->repetition.count;
	struct hcl_value *values;

	if (resource->has_aggregate && (!plan->applying || resource->settled))
		return resource->cell.value;
	values = zp_new_array(&plan->arena, struct hcl_value, count);
	for (uint32_t i = 0; i < count; i++)
		values[i] = plan_cell_value(plan, &resource->instances[i].cell);
	if (resource->repetition.kind == STATE_INT_KEY) {
		resource->cell.value = hcl_tuple_value(values, count);
	} else {
		const char **names = zp_new_array(&plan->arena, const char *, count);
		for (uint32_t i = 0; i < count; i++)
			names[i] = zp_arena_strndup(&plan->arena, resource->repetition.keys[i].text.ptr,
				resource->repetition.keys[i].text.len);
		resource->cell.value = hcl_object_build(&plan->arena, names, values, count);
	}
	/* What was made before the instances settled is not kept. */
	resource->has_aggregate = !plan->applying || resource->settled;
	return resource->cell.value;
}

static struct plan_resource_cell *find_resource(struct plan_scope *scope,
	const struct hcl_reference *ref)
{
	struct hcl_expr traversal = { .kind = HCL_EXPR_TRAVERSAL };
	struct plan_reference target;

	traversal.traversal.root = ref->root;
	traversal.traversal.steps = (struct hcl_traverse *)ref->steps;
	traversal.traversal.count = (uint32_t)ref->count;
	if (!plan_resolve_static(scope->module->config, &traversal, &target) ||
		target.target != PLAN_TO_RESOURCE)
		return NULL;
	return &scope->module->resources[target.index];
}

/* Whether the state has any of its instances. */
static bool is_stored(struct plan *plan, struct plan_resource_cell *resource)
{
	for (uint32_t i = 0; i < resource->repetition.count; i++)
		if (state_find(plan->prior, resource->instances[i].address, NULL))
			return true;
	return false;
}

static bool resolve_resource(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	struct plan_resource_cell *resource = find_resource(scope, ref);
	struct plan *plan = scope->plan;

	if (!resource)
		return not_declared(ev, ref, "Resource");
	*consumed = resource->config->mode == PLAN_DATA ? 2 : 1;
	if (!plan_cell_ok(plan, &resource->expand)) {
		*value = hcl_unknown(hcl_dynamic);
		return true;
	}
	if (plan->only_looks && !is_stored(plan, resource)) {
		*value = hcl_unknown(hcl_dynamic);
		return true;
	}
	if (resource->repetition.kind == STATE_NO_KEY) {
		*value = plan_cell_value(plan, &resource->instances[0].cell);
		return true;
	}
	const struct hcl_traverse *next = *consumed < ref->count ? &ref->steps[*consumed] : NULL;
	int64_t found = -1;
	if (next && next->name) {
		struct hcl_value key = hcl_string_static(next->name);
		found = plan_repetition_find(&resource->repetition, key);
	} else if (next && !next->key.marks) {
		found = plan_repetition_find(&resource->repetition, next->key);
	}
	if (found >= 0) {
		*value = plan_cell_value(plan, &resource->instances[found].cell);
		++*consumed;
		return true;
	}
	/* The whole, or an instance that is not known yet, or one that does not exist. */
	plan_cell_ok(plan, &resource->cell);
	*value = aggregate(plan, resource);
	return true;
}

static struct hcl_value module_object(struct plan *plan, struct plan_scope_module *module)
{
	size_t count = module->config->output_count;
	const char **names = zp_new_array(&plan->arena, const char *, count);
	struct hcl_value *values = zp_new_array(&plan->arena, struct hcl_value, count);

	for (size_t i = 0; i < count; i++) {
		names[i] = module->config->outputs[i]->name;
		values[i] = plan_cell_value(plan, &module->outputs[i]);
	}
	return hcl_object_build(&plan->arena, names, values, count);
}

static struct hcl_value call_object(struct plan *plan, struct plan_call_cell *call)
{
	uint32_t count = call->repetition.count;
	struct hcl_value *values = zp_new_array(&plan->arena, struct hcl_value, count);
	const char **names = zp_new_array(&plan->arena, const char *, count);

	for (uint32_t i = 0; i < count; i++)
		values[i] = module_object(plan, call->instances[i]);
	if (call->repetition.kind == STATE_INT_KEY)
		return hcl_tuple_value(values, count);
	for (uint32_t i = 0; i < count; i++)
		names[i] = zp_arena_strndup(&plan->arena, call->repetition.keys[i].text.ptr,
			call->repetition.keys[i].text.len);
	return hcl_object_build(&plan->arena, names, values, count);
}

static bool resolve_call(struct plan_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	const char *name = ref->count ? ref->steps[0].name : NULL;
	const struct plan_call *config =
		name ? zp_map_get(&scope->module->config->call_map, zp_str(name)) : NULL;
	struct plan *plan = scope->plan;

	if (!config)
		return not_declared(ev, ref, "Module");
	struct plan_call_cell *call = &scope->module->calls[config->index];
	*consumed = 1;
	*value = hcl_unknown(hcl_dynamic);
	if (!plan_cell_ok(plan, &call->cell))
		return true;
	struct plan_scope_module *instance = NULL;
	if (call->repetition.kind == STATE_NO_KEY) {
		instance = call->instances[0];
	} else if (ref->count > 1 && !ref->steps[1].name && !ref->steps[1].key.marks) {
		int64_t found = plan_repetition_find(&call->repetition, ref->steps[1].key);
		if (found >= 0) {
			instance = call->instances[found];
			*consumed = 2;
		}
	}
	if (!instance) {
		*value = call_object(plan, call);
		return true;
	}
	const char *output = *consumed < ref->count ? ref->steps[*consumed].name : NULL;
	const struct plan_output *found =
		output ? zp_map_get(&instance->config->output_map, zp_str(output)) : NULL;
	if (!found) {
		*value = module_object(plan, instance);
		return true;
	}
	*value = plan_cell_value(plan, &instance->outputs[found->index]);
	++*consumed;
	return true;
}

static bool resolve(const struct hcl_scope *base, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	struct plan_scope *scope = base->data;
	const char *root = ref->root;

	*consumed = 1;
	if (strcmp(root, "var") == 0)
		return resolve_variable(scope, ev, ref, value);
	if (strcmp(root, "local") == 0)
		return resolve_local(scope, ev, ref, value);
	if (strcmp(root, "path") == 0)
		return resolve_path(scope, ev, ref, value);
	if (strcmp(root, "terraform") == 0)
		return resolve_terraform(scope, ev, ref, value);
	if (strcmp(root, "each") == 0 || strcmp(root, "count") == 0)
		return resolve_repetition(scope, ev, ref, value);
	if (strcmp(root, "module") == 0)
		return resolve_call(scope, ev, ref, value, consumed);
	if (strcmp(root, "self") == 0 && scope->self) {
		*consumed = 0;
		*value = *scope->self;
		return true;
	}
	return resolve_resource(scope, ev, ref, value, consumed);
}

void plan_scope_init(struct plan_scope *scope, struct plan *plan, struct plan_scope_module *module,
	struct state_key key, struct hcl_value each_value)
{
	*scope = (struct plan_scope){ .plan = plan, .module = module, .key = key,
		.each_value = each_value };
	scope->scope = (struct hcl_scope){ resolve, scope };
}

struct hcl_evaluation plan_evaluation(struct plan_scope *scope)
{
	scope->scope.data = scope;
	scope->module->functions.pure_only = !scope->plan->applying;
	return (struct hcl_evaluation){ .arena = &scope->plan->arena, .diags = scope->plan->diags,
		.scope = &scope->scope, .functions = &scope->module->functions };
}

struct hcl_value plan_evaluate(struct plan_scope *scope, const struct hcl_expr *expr)
{
	struct hcl_evaluation ev = plan_evaluation(scope);

	return hcl_evaluate(&ev, expr);
}
