/* One instance: what it should be, what it is, and what has to happen. */
#include "base/uuid.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/number.h"
#include "planner/checks.h"

void plan_report_problems(struct plan *plan, const struct plan_resource *resource,
	const char *address, struct provider_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct provider_problem *problem = &problems->items[i];
		struct zp_range range = !resource ? ZP_NOWHERE :
			problem->path.count ? plan_path_range(resource->body, &problem->path) :
			resource->body	    ? resource->body->end_range :
					      resource->range;
		struct zp_diag *diag = problem->severity == ZP_SEVERITY_ERROR ?
			zp_diag_error(plan->diags, range, problem->summary, "%s",
				problem->detail ? problem->detail : "") :
			zp_diag_warning(plan->diags, range, problem->summary, "%s",
				problem->detail ? problem->detail : "");
		zp_diag_about(plan->diags, diag, address);
	}
	provider_problems_release(problems);
}

void plan_report_failed_read(struct plan *plan, struct plan_instance *instance,
	struct provider_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		struct provider_problem *problem = &problems->items[i];
		if (problem->severity == ZP_SEVERITY_ERROR)
			plan_fail_check(plan, instance, problem->detail && *problem->detail ?
				zp_arena_format(&plan->arena, "%s: %s", problem->summary,
					problem->detail) :
				zp_arena_strdup(&plan->arena, problem->summary));
		problem->severity = ZP_SEVERITY_WARNING;
	}
	problems->errors = 0;
}

struct hcl_value plan_without_unknown(struct zp_arena *arena, struct hcl_value object)
{
	return object.state == HCL_KNOWN ? hcl_unknown_to_null(arena, object) : hcl_null(object.type);
}

static bool same_shape(struct hcl_value a, struct hcl_value b)
{
	if (a.state != HCL_KNOWN || b.state != HCL_KNOWN || a.count != b.count)
		return false;
	return a.type == b.type && (a.type->kind == HCL_OBJECT || a.type->kind == HCL_LIST);
}

/* Where a part of the configuration is sensitive, the same part of the value is; else all that came of it. */
static struct hcl_value carry_marks(struct zp_arena *arena, struct hcl_value from, struct hcl_value to)
{
	if (!hcl_has_marks_inside(from))
		return to;
	if (hcl_value_identical(hcl_unmark_deep(arena, from, HCL_ALL_MARKS), to))
		return from;
	if (from.marks || !same_shape(from, to))
		return hcl_mark(to, from.inside & HCL_SENSITIVE);
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, to.count);
	for (uint32_t i = 0; i < to.count; i++)
		elements[i] = carry_marks(arena, from.elements[i], to.elements[i]);
	return to.type->kind == HCL_LIST ? hcl_list_value(to.type->element, elements, to.count) :
					   hcl_object_value(to.type, elements);
}

struct hcl_value plan_carry_marks(struct plan *plan, const struct provider_schema *schema,
	struct hcl_value config, struct hcl_value value)
{
	struct zp_arena *arena = &plan->arena;

	if (value.state == HCL_KNOWN && config.state == HCL_KNOWN && hcl_has_marks_inside(config)) {
		struct hcl_value *elements = zp_new_array(arena, struct hcl_value, value.count);
		for (uint32_t i = 0; i < value.count; i++)
			elements[i] = carry_marks(arena, config.elements[i], value.elements[i]);
		value = hcl_object_value(value.type, elements);
	}
	return provider_schema_mark(schema, arena, value);
}

static void scope_of(struct plan_scope *scope, struct plan *plan, struct plan_instance *instance)
{
	if (plan->applying && !hcl_is_wholly_known(instance->each_value))
		instance->each_value = plan_each_value(plan, instance->cell.module,
			instance->resource->config->for_each, &instance->resource->repetition,
			instance->key);
	plan_scope_init(scope, plan, instance->cell.module, instance->key, instance->each_value);
	scope->checked = plan_checked_instance(plan, instance);
}

/* Whatever the block names but evaluation did not meet (try, conditionals) is a need all the same. */
static void touch_references(struct plan *plan, struct plan_instance *instance)
{
	struct plan_scope_module *module = instance->cell.module;
	const struct plan_resource *config = instance->resource->config;

	for (size_t i = 0; i < config->reference_count; i++) {
		const struct plan_reference *ref = &config->references[i];
		if (ref->target == PLAN_TO_CALL) {
			struct plan_call_cell *call = &module->calls[ref->index];
			if (!plan_cell_ok(plan, &call->cell))
				continue;
			for (uint32_t k = 0; k < call->repetition.count; k++)
				for (size_t o = 0; o < call->call->module->output_count; o++)
					if (!ref->output ||
						call->call->module->outputs[o]->name == ref->output)
						plan_cell_ok(plan, &call->instances[k]->outputs[o]);
			continue;
		}
		if (ref->target != PLAN_TO_RESOURCE)
			continue;
		struct plan_resource_cell *resource = &module->resources[ref->index];
		if (resource == instance->resource)
			continue;
		/* Met by instance already: then the instances met are precise, and enough. */
		const struct plan_frame *frame = &plan->frames.items[plan->frames.count - 1];
		bool met = resource->cell.touched_by == frame->serial ||
			resource->expand.touched_by == frame->serial;
		if (!met)
			plan_cell_ok(plan, &resource->cell);
	}
}

/* depends_on means all instances, and everything inside a module. */
static void touch_depends_on(struct plan *plan, struct plan_scope_module *module,
	struct hcl_expr *const *depends_on, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct plan_reference target;
		if (!plan_resolve_static(module->config, depends_on[i], &target))
			continue;
		if (target.target == PLAN_TO_RESOURCE)
			plan_cell_ok(plan, &module->resources[target.index].cell);
		if (target.target != PLAN_TO_CALL)
			continue;
		struct plan_call_cell *call = &module->calls[target.index];
		if (!plan_cell_ok(plan, &call->cell))
			continue;
		for (uint32_t k = 0; k < call->repetition.count; k++)
			for (size_t r = 0; r < call->call->module->resource_count; r++)
				plan_cell_ok(plan, &call->instances[k]->resources[r].cell);
	}
}

static void touch_all(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_resource *config = instance->resource->config;

	touch_references(plan, instance);
	touch_depends_on(plan, instance->cell.module, config->depends_on, config->depends_on_count);
	for (struct plan_scope_module *m = instance->cell.module; m->made_by; m = m->parent)
		touch_depends_on(plan, m->parent, m->made_by->call->depends_on,
			m->made_by->call->depends_on_count);
}

static bool decode_config(struct plan *plan, struct plan_instance *instance,
	struct hcl_value *config)
{
	const struct plan_resource *resource = instance->resource->config;
	size_t errors = plan->diags->errors;
	struct plan_scope scope;

	scope_of(&scope, plan, instance);
	struct hcl_evaluation ev = plan_evaluation(&scope);
	*config = plan_decode_body(&ev, resource->body, resource->resource_type->schema);
	if (plan->diags->errors == errors)
		plan_forbid_ephemeral(plan, instance, *config);
	if (hcl_has_infinity(*config))
		zp_diag_about(plan->diags, zp_diag_error(plan->diags, resource->range,
			"Infinite number", "The configuration of %s holds an infinite number, such as "
			"1/0 gives. Neither providers nor a state can hold one.", instance->address),
			instance->address);
	if (plan->diags->errors > errors || !resource->resource_type->validate)
		return plan->diags->errors == errors;
	struct provider_problems problems = { 0 };
	resource->resource_type->validate(
		hcl_unmark_deep(&plan->arena, *config, HCL_ALL_MARKS), &problems);
	plan_report_problems(plan, resource, instance->address, &problems);
	return plan->diags->errors == errors;
}

static void load_prior(struct plan *plan, struct plan_instance *instance)
{
	const struct provider_schema *schema = instance->resource->config->resource_type->schema;
	zp_autoerror err = ZP_ERROR_INIT;

	instance->prior = hcl_null(schema->type);
	instance->stored = state_find(plan->prior, instance->address, NULL);
	if (!instance->stored)
		return;
	if (!plan_decode_object(instance->stored, schema, &plan->arena, &instance->prior, &err))
		zp_diag_error(plan->diags, instance->resource->config->range,
			"Failed to decode resource from state", "%s", zp_error_text(&err));
}

/* Asks schema and provider for the planned object. */
static bool ask_provider(struct plan *plan, struct plan_instance *instance, struct hcl_value prior,
	struct hcl_value config, struct provider_plan *asked)
{
	const struct plan_resource *resource = instance->resource->config;
	struct plan_provider *provider = plan_provider_for(plan, instance->cell.module, resource);
	size_t errors = plan->diags->errors;

	*asked = (struct provider_plan){
		.type = resource->resource_type,
		.instance = provider && provider->configured ? &provider->instance : NULL,
		.arena = &plan->arena,
		.prior = hcl_unmark_deep(&plan->arena, prior, HCL_ALL_MARKS),
		.config = hcl_unmark_deep(&plan->arena, config, HCL_ALL_MARKS),
	};
	provider_plan_default(asked);
	if (resource->resource_type->plan)
		resource->resource_type->plan(asked);
	plan_report_problems(plan, resource, instance->address, &asked->problems);
	return plan->diags->errors == errors;
}

static void decide(struct plan *plan, struct plan_instance *instance, struct hcl_value config)
{
	const struct plan_resource *resource = instance->resource->config;
	const struct provider_schema *schema = resource->resource_type->schema;
	struct provider_plan asked;

	instance->planned = hcl_unknown(schema->type);
	if (!ask_provider(plan, instance, instance->prior, config, &asked))
		return;
	instance->replace = asked.replace;
	instance->replace_count = asked.replace_count;
	if (hcl_is_null(instance->prior)) {
		instance->action = PLAN_CREATE;
		instance->replace_count = 0;
	} else if (instance->stored->tainted) {
		instance->reason = PLAN_REPLACE_BECAUSE_TAINTED;
		instance->replace_count = 0;
	} else if (plan_is_replace_requested(plan, instance->address)) {
		instance->reason = PLAN_REPLACE_BY_REQUEST;
	} else if (plan_is_triggered(plan, instance)) {
		instance->reason = PLAN_REPLACE_BY_TRIGGERS;
	} else if (asked.replace_count) {
		instance->reason = PLAN_REPLACE_BECAUSE_CANNOT_UPDATE;
	}
	if (instance->reason != PLAN_REASON_NONE) {
		instance->action = PLAN_DELETE_CREATE;
		if (!ask_provider(plan, instance, hcl_null(schema->type), config, &asked))
			return;
	}
	instance->planned = plan_carry_marks(plan, schema, config, asked.planned);
	if (instance->action == PLAN_NO_OP && !hcl_value_identical(instance->prior, instance->planned))
		instance->action = PLAN_UPDATE;
}

void plan_report_prevented(struct plan *plan, const struct plan_resource *resource,
	const char *address)
{
	struct zp_diag *diag = zp_diag_error(plan->diags, resource->range,
		"Instance cannot be destroyed",
		"Resource %s has lifecycle.prevent_destroy set, but the plan calls for this resource "
		"to be destroyed. To avoid this error and continue with the plan, either disable "
		"lifecycle.prevent_destroy or reduce the scope of the plan using the -target option.",
		address);

	zp_diag_about(plan->diags, diag, address);
}

/* A JSON string a loaded plan keeps for the address. */
static bool saved_text(struct plan *plan, const struct zp_map *map, const char *address,
	const char **out)
{
	const struct zp_str *raw = zp_map_get(map, zp_str(address));
	struct zp_json json;
	struct zp_str text = { 0 };

	if (!raw)
		return false;
	zp_json_init(&json, *raw);
	bool ok = zp_json_read_string_arena(&json, &plan->arena, &text);
	zp_json_release(&json);
	*out = text.ptr;
	return ok;
}

static void choose_identity(struct plan *plan, struct plan_instance *instance)
{
	const char *name = instance->resource->config->resource_type->identity_attribute;
	const char *old = plan_text_attribute(instance->prior, name);
	bool fresh = instance->action == PLAN_CREATE || instance->action == PLAN_DELETE_CREATE;
	char uuid[ZP_UUID_LENGTH + 1];
	const char *saved;

	if (old && !fresh) {
		instance->identity = old;
	} else if (fresh && saved_text(plan, &plan->saved_identities, instance->address, &saved)) {
		instance->identity = saved;
	} else if (fresh) {
		zp_uuid(uuid);
		instance->identity = zp_arena_strdup(&plan->arena, uuid);
	}
}

static void evaluate_managed(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_resource *resource = instance->resource->config;
	const struct plan_lifecycle *lifecycle = &resource->lifecycle;
	struct plan_scope scope;
	struct hcl_value config;

	load_prior(plan, instance);
	if (plan->kind != PLAN_NORMAL) {
		instance->planned = instance->prior;
		instance->cell.value = instance->prior;
		if (plan->kind == PLAN_REFRESH_ONLY && instance->stored)
			plan_instance_check(plan, instance);
		if (plan->kind == PLAN_DESTROY && instance->stored) {
			instance->action = PLAN_DELETE;
			instance->planned = hcl_null(instance->prior.type);
			if (lifecycle->prevent_destroy)
				plan_report_prevented(plan, resource, instance->address);
		}
		return;
	}
	scope_of(&scope, plan, instance);
	bool ok = plan_check_rules(&scope, lifecycle->preconditions, lifecycle->precondition_count,
		"Resource precondition failed", instance->address, &instance->deferred_conditions);
	if (!decode_config(plan, instance, &config) || !ok)
		return;
	config = plan_ignore_changes(plan, instance, config);
	decide(plan, instance, config);
	choose_identity(plan, instance);
	instance->cell.value = instance->planned;
	if (lifecycle->prevent_destroy && instance->action == PLAN_DELETE_CREATE)
		plan_report_prevented(plan, resource, instance->address);
	scope.self = &instance->planned;
	scope.first_rule = lifecycle->precondition_count;
	plan_check_rules(&scope, lifecycle->postconditions, lifecycle->postcondition_count,
		"Resource postcondition failed", instance->address, NULL);
}

static bool is_pending(const struct plan_resource_cell *resource)
{
	for (uint32_t k = 0; k < resource->repetition.count; k++)
		if (resource->instances[k].action != PLAN_NO_OP)
			return true;
	return false;
}

/* Anything of the module, and of those below. */
static bool module_is_pending(const struct plan_scope_module *module)
{
	for (size_t i = 0; i < module->config->resource_count; i++)
		if (is_pending(&module->resources[i]))
			return true;
	for (size_t i = 0; i < module->config->call_count; i++)
		for (uint32_t k = 0; k < module->calls[i].repetition.count; k++)
			if (module_is_pending(module->calls[i].instances[k]))
				return true;
	return false;
}

static bool any_pending(const struct plan_scope_module *module, struct hcl_expr *const *depends_on, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct plan_reference target;
		if (!plan_resolve_static(module->config, depends_on[i], &target))
			continue;
		if (target.target == PLAN_TO_RESOURCE && is_pending(&module->resources[target.index]))
			return true;
		const struct plan_call_cell *call =
			target.target == PLAN_TO_CALL ? &module->calls[target.index] : NULL;
		for (uint32_t k = 0; call && k < call->repetition.count; k++)
			if (module_is_pending(call->instances[k]))
				return true;
	}
	return false;
}

/* A need that is itself about to change, so that what is read now might be out of date. */
static bool has_pending_dependency(const struct plan_instance *instance)
{
	const struct plan_resource *config = instance->resource->config;
	const struct plan_scope_module *module = instance->cell.module;

	if (any_pending(module, config->depends_on, config->depends_on_count))
		return true;
	/* What a module stands on, everything in it stands on. */
	for (; module->made_by; module = module->parent)
		if (any_pending(module->parent, module->made_by->call->depends_on,
			    module->made_by->call->depends_on_count))
			return true;
	return false;
}

static void read_data(struct plan *plan, struct plan_instance *instance, struct hcl_value config)
{
	const struct plan_resource *resource = instance->resource->config;
	const struct provider_resource_type *type = resource->resource_type;
	struct plan_provider *provider = plan_provider_for(plan, instance->cell.module, resource);
	struct provider_operation op = { .verb = PROVIDER_READ, .type = type,
		.address = instance->address, .arena = &plan->arena,
		.prior = hcl_null(type->schema->type), .planned = hcl_null(type->schema->type),
		.config = hcl_unmark_deep(&plan->arena, config, HCL_ALL_MARKS) };
	struct provider_operation *ops[] = { &op };
	size_t errors = plan->diags->errors;
	const struct zp_str *saved = zp_map_get(&plan->saved_data, zp_str(instance->address));

	if (saved) {
		struct zp_json json;
		zp_json_init(&json, *saved);
		struct zp_str failure;
		if (resource->in_check && zp_json_peek(&json) == ZP_JSON_STRING &&
			zp_json_read_string_arena(&json, &plan->arena, &failure))
			plan_fail_check(plan, instance, failure.ptr);
		else if (hcl_value_from_json(&json, &plan->arena, type->schema->type, &op.result))
			instance->planned = plan_carry_marks(plan, type->schema, config, op.result);
		instance->cell.value = instance->planned;
		zp_json_release(&json);
		return;
	}
	if (!provider || !provider->configured)
		return;
	plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_READ_START,
		.address = instance->address, .action = PLAN_READ });
	type->run(&provider->instance, ops, 1);
	if (resource->in_check && op.problems.errors)
		plan_report_failed_read(plan, instance, &op.problems);
	plan_report_problems(plan, resource, instance->address, &op.problems);
	if (plan->diags->errors > errors || instance->read_failure || !op.result.type)
		return;
	instance->planned = plan_carry_marks(plan, type->schema, config, op.result);
	instance->cell.value = instance->planned;
	plan_emit(plan, &(struct plan_event){ .kind = PLAN_EVENT_READ_COMPLETE,
		.address = instance->address, .action = PLAN_READ, .id_key = "id",
		.id_value = plan_text_attribute(instance->planned, "id") });
}

/* What is written of it; the rest is not known. */
static struct hcl_value unread(struct plan *plan, const struct provider_schema *schema,
	struct hcl_value config)
{
	struct hcl_value *elements = zp_new_array(&plan->arena, struct hcl_value, config.count);

	for (size_t i = 0; i < schema->attribute_count; i++) {
		uint32_t slot = schema->attribute_slots[i];
		bool computed = schema->attributes[i].flags & PROVIDER_COMPUTED;
		elements[slot] = computed && hcl_is_null(config.elements[slot]) ?
			hcl_unknown(config.type->attributes[slot].type) : config.elements[slot];
	}
	for (size_t i = 0; i < schema->block_count; i++)
		elements[schema->block_slots[i]] = config.elements[schema->block_slots[i]];
	return hcl_object_value(config.type, elements);
}

static void evaluate_data(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_resource *resource = instance->resource->config;
	const struct plan_lifecycle *lifecycle = &resource->lifecycle;
	const struct provider_schema *schema = resource->resource_type->schema;
	struct plan_scope scope;
	struct hcl_value config;

	load_prior(plan, instance);
	instance->cell.value = instance->planned = hcl_unknown(schema->type);
	if (plan->kind == PLAN_DESTROY) {
		instance->cell.value = instance->prior;
		return;
	}
	scope_of(&scope, plan, instance);
	bool ok = plan_check_rules(&scope, lifecycle->preconditions, lifecycle->precondition_count,
		"Resource precondition failed", instance->address, &instance->deferred_conditions);
	if (!decode_config(plan, instance, &config) || !ok)
		return;
	bool pending = has_pending_dependency(instance);
	if (!hcl_is_wholly_known(config) || pending) {
		struct provider_plan asked;
		instance->action = PLAN_READ;
		instance->reason = hcl_is_wholly_known(config) ?
			PLAN_READ_BECAUSE_DEPENDENCY_PENDING : PLAN_READ_BECAUSE_CONFIG_UNKNOWN;
		instance->prior = hcl_null(schema->type);
		if (ask_provider(plan, instance, instance->prior, config, &asked))
			instance->planned = plan_carry_marks(plan, schema, config, asked.planned);
		instance->cell.value = instance->planned;
		return;
	}
	read_data(plan, instance, config);
	if (instance->read_failure)
		instance->planned = instance->cell.value = unread(plan, schema, config);
	if (resource->in_check && plan->kind == PLAN_NORMAL) {
		/* Checks look once more at the end of every apply. */
		instance->action = PLAN_READ;
		instance->reason = PLAN_READ_BECAUSE_CHECK_NESTED;
		instance->prior = hcl_null(schema->type);
	}
	scope.self = &instance->planned;
	scope.first_rule = lifecycle->precondition_count;
	plan_check_rules(&scope, lifecycle->postconditions, lifecycle->postcondition_count,
		"Resource postcondition failed", instance->address, NULL);
}

static void look(struct plan *plan, struct plan_instance *instance)
{
	load_prior(plan, instance);
	instance->cell.value = instance->planned =
		instance->stored ? instance->prior : hcl_unknown(hcl_dynamic);
}

void plan_instance_evaluate(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_resource *resource = instance->resource->config;

	if (!resource->resource_type)
		return;
	zp_vec_push(&plan->instances, instance);
	/* Only what is named or passed on can be missing. */
	if (!plan->only_looks && (resource->provider_ref.alias || instance->cell.module->made_by) &&
		!plan_provider_is_there(plan,
			plan_provider_for(plan, instance->cell.module, resource), instance->address, ""))
		return;
	/* What for_each and count stand on is what every instance stands on. */
	plan_touch(plan, &instance->resource->expand);
	/* A destroy plan takes nothing from the configuration but which objects there are. */
	if (!plan->only_looks && (plan->kind == PLAN_NORMAL || resource->mode == PLAN_DATA))
		touch_all(plan, instance);
	if (plan->only_looks)
		look(plan, instance);
	else if (resource->mode == PLAN_DATA)
		evaluate_data(plan, instance);
	else
		evaluate_managed(plan, instance);
}

bool plan_instance_check(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_lifecycle *lifecycle = &instance->resource->config->lifecycle;
	struct plan_scope scope;

	scope_of(&scope, plan, instance);
	scope.warns = plan->kind == PLAN_REFRESH_ONLY;
	bool ok = plan_check_rules(&scope, lifecycle->preconditions, lifecycle->precondition_count,
		"Resource precondition failed", instance->address, NULL);
	scope.self = &instance->cell.value;
	scope.first_rule = lifecycle->precondition_count;
	return plan_check_rules(&scope, lifecycle->postconditions, lifecycle->postcondition_count,
		"Resource postcondition failed", instance->address, NULL) && ok;
}

bool plan_instance_finalize(struct plan *plan, struct plan_instance *instance,
	struct hcl_value *config, struct hcl_value *planned)
{
	const struct plan_resource *resource = instance->resource->config;
	const struct plan_lifecycle *lifecycle = &resource->lifecycle;
	bool fresh = instance->action == PLAN_CREATE || instance->action == PLAN_DELETE_CREATE ||
		instance->action == PLAN_CREATE_DELETE || instance->action == PLAN_READ;
	struct hcl_value prior = fresh ? hcl_null(resource->resource_type->schema->type) :
					 instance->prior;
	struct provider_plan asked;
	struct plan_scope scope;

	scope_of(&scope, plan, instance);
	if (instance->deferred_conditions &&
		!plan_check_rules(&scope, lifecycle->preconditions, lifecycle->precondition_count,
			"Resource precondition failed", instance->address, NULL))
		return false;
	if (!decode_config(plan, instance, config))
		return false;
	if (plan->diags->errors && !hcl_is_wholly_known(*config))
		return false; /* what it would be made of failed, and was reported */
	*config = plan_ignore_changes(plan, instance, *config);
	if (!ask_provider(plan, instance, prior, *config, &asked))
		return false;
	*planned = asked.planned;
	return true;
}
