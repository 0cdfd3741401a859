/*
 * Everything that can be known of a configuration without its variables' values: names, and types by
 * evaluating each block with unknown values of the right type in place of what is decided later.
 */
#include "planner/provisioner_schema.h"
#include "planner/repetition.h"
#include "planner/validate_internal.h"

struct validation {
	const struct plan_config *config;
	struct zp_diags *diags;
	struct zp_arena arena;
};

/* Locals of one module, evaluated when first asked for. */
enum local_status { LOCAL_NEW, LOCAL_BUSY, LOCAL_DONE };

struct module_values {
	struct validation *validation;
	const struct plan_module *module;
	struct hcl_value *locals;
	uint8_t *local_status;
	struct hcl_functions functions;
};

/* A place in a module: what its blocks may name, and what that is worth. */
struct block_scope {
	struct hcl_scope scope;
	struct module_values *values;
	const struct plan_resource *self;
};

static struct hcl_value local_value(struct module_values *values, uint32_t index);

static struct hcl_value resource_value(const struct plan_resource *resource)
{
	if (!resource->resource_type || resource->count || resource->for_each)
		return hcl_unknown(hcl_dynamic);
	return hcl_unknown(resource->resource_type->schema->type);
}

static struct hcl_value named_value(struct module_values *values, const struct plan_reference *ref)
{
	const struct plan_module *module = values->module;

	switch (ref->target) {
	case PLAN_TO_VARIABLE: {
		const struct plan_variable *variable = module->variables[ref->index];
		unsigned marks = (variable->sensitive ? HCL_SENSITIVE : 0u) |
			(variable->ephemeral ? HCL_EPHEMERAL : 0u);
		return hcl_mark(hcl_unknown(hcl_type_without_optional(variable->type.type)), marks);
	}
	case PLAN_TO_LOCAL:
		return local_value(values, ref->index);
	case PLAN_TO_RESOURCE:
		return resource_value(module->resources[ref->index]);
	case PLAN_TO_CALL:
		break;
	}
	return hcl_unknown(hcl_dynamic);
}

/* Steps of the reference that name the object itself. */
static size_t own_steps(const struct hcl_reference *ref)
{
	return strcmp(ref->root, "data") == 0 ? 2 : 1;
}

static bool builtin_value(const struct block_scope *block, const struct hcl_reference *ref,
	struct hcl_value *value)
{
	if (strcmp(ref->root, "path") == 0 || strcmp(ref->root, "terraform") == 0 ||
		strcmp(ref->root, "each") == 0)
		*value = hcl_unknown(strcmp(ref->root, "each") == 0 ? hcl_dynamic : hcl_string);
	else if (strcmp(ref->root, "count") == 0)
		*value = hcl_unknown(hcl_number);
	else if (strcmp(ref->root, "self") == 0 && block->self)
		*value = block->self->resource_type ?
			hcl_unknown(block->self->resource_type->schema->type) :
			hcl_unknown(hcl_dynamic);
	else
		return false;
	return true;
}

/* Names were checked before; whatever is wrong with one was reported there. */
static bool resolve(const struct hcl_scope *scope, struct hcl_evaluation *ev,
	const struct hcl_reference *ref, struct hcl_value *value, size_t *consumed)
{
	const struct block_scope *block = scope->data;
	struct hcl_expr traversal = { .kind = HCL_EXPR_TRAVERSAL, .range = ref->range };
	struct plan_reference target;

	(void)ev;
	if (builtin_value(block, ref, value)) {
		*consumed = strcmp(ref->root, "self") == 0 || ref->count == 0 ? 0 : 1;
		return true;
	}
	traversal.traversal.root = ref->root;
	traversal.traversal.steps = (struct hcl_traverse *)ref->steps;
	traversal.traversal.count = (uint32_t)ref->count;
	if (!plan_resolve_static(block->values->module, &traversal, &target)) {
		*value = hcl_unknown(hcl_dynamic);
		*consumed = ref->count;
		return true;
	}
	*value = named_value(block->values, &target);
	*consumed = own_steps(ref);
	return true;
}

static struct block_scope scope_in(struct module_values *values, const struct plan_resource *self)
{
	return (struct block_scope){ .values = values, .self = self };
}

static struct hcl_value evaluate(struct block_scope *block, const struct hcl_expr *expr)
{
	block->scope = (struct hcl_scope){ resolve, block };
	struct hcl_evaluation ev = { .arena = &block->values->validation->arena,
		.diags = block->values->validation->diags, .scope = &block->scope,
		.functions = &block->values->functions };
	return hcl_evaluate(&ev, expr);
}

/* A cycle of locals is reported by the check for cycles; here it is merely not followed. */
static struct hcl_value local_value(struct module_values *values, uint32_t index)
{
	if (values->local_status[index] == LOCAL_BUSY)
		return hcl_unknown(hcl_dynamic);
	if (values->local_status[index] == LOCAL_DONE)
		return values->locals[index];
	values->local_status[index] = LOCAL_BUSY;
	struct block_scope block = scope_in(values, NULL);
	values->locals[index] = evaluate(&block, values->module->locals[index]->expr);
	values->local_status[index] = LOCAL_DONE;
	return values->locals[index];
}

/* Reference checks over all expressions of a block. */
struct checked {
	struct plan_place place;
	struct zp_diags *diags;
	bool ok;
};

static void check_traversal(void *data, const struct hcl_expr *traversal)
{
	struct checked *checked = data;

	if (!plan_check_reference(&checked->place, traversal, checked->diags))
		checked->ok = false;
}

static void check_expression(void *data, const struct hcl_expr *expr)
{
	if (expr)
		hcl_expr_references(expr, check_traversal, data);
}

/* As check_expression over a body, with the iterators of dynamic blocks known inside them. */
static void check_body(struct checked *checked, const struct hcl_body *body, struct zp_arena *arena)
{
	if (!body)
		return;
	if (body->json) {
		plan_body_expressions(body, arena, check_expression, checked);
		return;
	}
	for (size_t i = 0; i < body->attribute_count; i++) {
		if (strcmp(body->attributes[i]->name, "iterator") == 0 && checked->place.iterator_count)
			continue;
		check_expression(checked, body->attributes[i]->expr);
	}
	for (size_t i = 0; i < body->block_count; i++) {
		const struct hcl_block *block = body->blocks[i];
		struct plan_place outer = checked->place;
		if (strcmp(block->type, "dynamic") == 0 && block->label_count == 1) {
			const char **names = zp_new_array(arena, const char *, outer.iterator_count + 1);
			for (size_t k = 0; k < outer.iterator_count; k++)
				names[k] = outer.iterators[k];
			names[outer.iterator_count] = zp_intern(block->labels[0]);
			for (size_t k = 0; k < block->body->attribute_count; k++) {
				const struct hcl_attribute *attribute = block->body->attributes[k];
				const char *word = strcmp(attribute->name, "iterator") == 0 ?
					hcl_expr_keyword(attribute->expr) : NULL;
				if (word)
					names[outer.iterator_count] = word;
			}
			checked->place.iterators = names;
			checked->place.iterator_count++;
		}
		check_body(checked, block->body, arena);
		checked->place = outer;
	}
}

static struct checked place_in(struct module_values *values)
{
	return (struct checked){ .place = { .module = values->module },
		.diags = values->validation->diags, .ok = true };
}

/* condition must be able to be a bool, error_message a string. */
static void validate_rules(struct module_values *values, const struct plan_check_rule *rules,
	size_t count, struct plan_place place, const struct plan_resource *self)
{
	for (size_t i = 0; i < count; i++) {
		struct checked checked = { .place = place, .diags = values->validation->diags,
			.ok = true };
		check_expression(&checked, rules[i].condition);
		check_expression(&checked, rules[i].error_message);
		if (!checked.ok)
			continue;
		struct block_scope block = scope_in(values, self);
		block.scope = (struct hcl_scope){ resolve, &block };
		struct hcl_evaluation ev = { .arena = &values->validation->arena,
			.diags = values->validation->diags, .scope = &block.scope,
			.functions = &values->functions };
		hcl_evaluate_as(&ev, rules[i].condition, hcl_bool);
		hcl_evaluate_as(&ev, rules[i].error_message, hcl_string);
	}
}

static void report_problems(struct validation *validation, const struct plan_resource *resource,
	struct provider_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct provider_problem *problem = &problems->items[i];
		struct zp_range range = problem->path.count ?
			plan_path_range(resource->body, &problem->path) : resource->range;
		if (problem->severity == ZP_SEVERITY_ERROR)
			zp_diag_error(validation->diags, range, problem->summary, "%s",
				problem->detail);
		else
			zp_diag_warning(validation->diags, range, problem->summary, "%s",
				problem->detail);
	}
	provider_problems_release(problems);
}

static void validate_arguments(struct module_values *values, const struct plan_resource *resource)
{
	struct validation *validation = values->validation;
	struct block_scope block = scope_in(values, resource);
	block.scope = (struct hcl_scope){ resolve, &block };
	struct hcl_evaluation ev = { .arena = &validation->arena, .diags = validation->diags,
		.scope = &block.scope, .functions = &values->functions };
	size_t errors = validation->diags->errors;
	struct hcl_value config =
		plan_decode_body(&ev, resource->body, resource->resource_type->schema);
	struct provider_problems problems = { 0 };

	if (validation->diags->errors > errors || !resource->resource_type->validate)
		return;
	config = hcl_unmark_deep(&validation->arena, config, HCL_ALL_MARKS);
	resource->resource_type->validate(config, &problems);
	report_problems(validation, resource, &problems);
}

static void validate_lifecycle(struct module_values *values, const struct plan_resource *resource,
	struct plan_place place)
{
	const struct plan_lifecycle *lifecycle = &resource->lifecycle;

	validate_rules(values, lifecycle->preconditions, lifecycle->precondition_count, place, resource);
	place.has_self = true;
	validate_rules(values, lifecycle->postconditions, lifecycle->postcondition_count, place,
		resource);
	if (!resource->resource_type)
		return;
	for (size_t i = 0; i < lifecycle->ignore_count; i++) {
		const char *name = lifecycle->ignore_changes[i].steps[0].name;
		const struct provider_schema *schema = resource->resource_type->schema;
		if (!provider_schema_attribute(schema, name) && !provider_schema_block(schema, name))
			zp_diag_error(values->validation->diags, resource->range,
				"Unsupported attribute",
				"ignore_changes names \"%s\": this object has no argument, nested "
				"block, or exported attribute of that name.", name);
	}
}

/* count and for_each as far as they are known. */
static void validate_repetition(struct module_values *values, const struct hcl_expr *count,
	const struct hcl_expr *for_each)
{
	struct zp_diags *diags = values->validation->diags;
	struct block_scope block = scope_in(values, NULL);
	size_t errors = diags->errors;
	int64_t number;

	if (count) {
		struct hcl_value value = evaluate(&block, count);
		if (diags->errors == errors)
			plan_count_from(&values->validation->arena, diags, count, value, false,
				&number);
	}
	errors = diags->errors;
	if (for_each) {
		struct hcl_value value = evaluate(&block, for_each);
		if (diags->errors == errors)
			plan_for_each_fits(diags, for_each, value, false);
	}
}

static void validate_provisioner(struct module_values *values, const struct plan_resource *resource,
	const struct plan_provisioner *provisioner, struct checked *checked)
{
	struct zp_arena *arena = &values->validation->arena;
	const struct provider_schema *schema = plan_provisioner_schema(provisioner->type);
	struct block_scope block = scope_in(values, resource);

	if (checked->ok) {
		check_body(checked, provisioner->body, arena);
		check_body(checked, provisioner->connection, arena);
	}
	if (!schema || !checked->ok)
		return;
	block.scope = (struct hcl_scope){ resolve, &block };
	struct hcl_evaluation ev = { .arena = arena, .diags = values->validation->diags,
		.scope = &block.scope, .functions = &values->functions };
	plan_decode_body(&ev, provisioner->body, schema);
	if (provisioner->connection)
		plan_decode_body(&ev, provisioner->connection, plan_connection_schema());
	if (resource->connection)
		plan_decode_body(&ev, resource->connection, plan_connection_schema());
}

static void validate_resource(struct module_values *values, const struct plan_resource *resource)
{
	struct checked checked = place_in(values);

	check_expression(&checked, resource->count);
	check_expression(&checked, resource->for_each);
	for (size_t i = 0; i < resource->depends_on_count; i++)
		check_expression(&checked, resource->depends_on[i]);
	checked.place.has_count = resource->count != NULL;
	checked.place.has_for_each = resource->for_each != NULL;
	check_body(&checked, resource->body, &values->validation->arena);
	validate_lifecycle(values, resource, checked.place);
	struct plan_place with_self = checked.place;
	with_self.has_self = true;
	struct checked inner = { .place = with_self, .diags = values->validation->diags, .ok = true };
	check_body(&inner, resource->connection, &values->validation->arena);
	for (size_t i = 0; i < resource->provisioner_count; i++) {
		struct checked each = inner;
		validate_provisioner(values, resource, &resource->provisioners[i], &each);
	}
	if (!checked.ok || !resource->resource_type)
		return;
	validate_repetition(values, resource->count, resource->for_each);
	validate_arguments(values, resource);
}

static void report_missing_inputs(struct module_values *values, const struct plan_call *call,
	const struct hcl_content *arguments)
{
	struct zp_diags *diags = values->validation->diags;
	const struct plan_module *child = call->module;

	for (size_t i = 0; i < child->variable_count; i++) {
		const struct plan_variable *variable = child->variables[i];
		if (!variable->has_default && !hcl_content_attribute(arguments, variable->name))
			zp_diag_error(diags, call->body->end_range, "Missing required argument",
				"The argument \"%s\" is required, but no definition was found.",
				variable->name);
	}
	const char **names = zp_new_array(&values->validation->arena, const char *,
		child->variable_count);
	for (size_t i = 0; i < child->variable_count; i++)
		names[i] = child->variables[i]->name;
	for (size_t i = 0; i < arguments->attribute_count; i++) {
		const struct hcl_attribute *argument = arguments->attributes[i];
		if (zp_map_has(&child->variable_map, zp_str(argument->name)))
			continue;
		const char *near =
			zp_str_suggest(zp_str(argument->name), names, child->variable_count);
		zp_diag_error(diags, hcl_attribute_name_range(argument), "Unsupported argument",
			"An argument named \"%s\" is not expected here.%s%s%s", argument->name,
			near ? " Did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
}

static void validate_input(struct module_values *values, struct block_scope *block,
	const struct plan_call *call, const struct hcl_attribute *argument)
{
	const struct plan_variable *variable =
		zp_map_get(&call->module->variable_map, zp_str(argument->name));
	struct zp_diags *diags = values->validation->diags;
	size_t errors = diags->errors;
	zp_autobuf why = ZP_BUF_INIT;
	struct hcl_value value = evaluate(block, argument->expr), converted;

	if (!variable || diags->errors > errors)
		return;
	if (!hcl_is_null(value))
		value = hcl_apply_defaults(&values->validation->arena, variable->type.defaults, value);
	if (!hcl_convert_explained(&values->validation->arena, value, variable->type.type, &converted, &why))
		zp_diag_error(diags, argument->expr->range,
			"Invalid value for input variable",
			"The given value is not suitable for %s.var.%s declared at %s: %s.",
			call->name, variable->name,
			plan_range_text(&values->validation->arena, variable->range),
			why.ptr);
}

static void validate_call(struct module_values *values, const struct plan_call *call)
{
	struct checked checked = place_in(values);
	struct hcl_content arguments = { 0 };

	hcl_body_attributes(call->body, &values->validation->arena, &arguments,
		values->validation->diags);
	check_expression(&checked, call->count);
	check_expression(&checked, call->for_each);
	for (size_t i = 0; i < call->depends_on_count; i++)
		check_expression(&checked, call->depends_on[i]);
	if (checked.ok)
		validate_repetition(values, call->count, call->for_each);
	checked.place.has_count = call->count != NULL;
	checked.place.has_for_each = call->for_each != NULL;
	struct block_scope block = scope_in(values, NULL);
	for (size_t i = 0; i < arguments.attribute_count; i++) {
		checked.ok = true;
		check_expression(&checked, arguments.attributes[i]->expr);
		if (checked.ok && call->module)
			validate_input(values, &block, call, arguments.attributes[i]);
	}
	if (call->module)
		report_missing_inputs(values, call, &arguments);
}

static void validate_values(struct module_values *values)
{
	const struct plan_module *module = values->module;

	for (size_t i = 0; i < module->local_count; i++) {
		struct checked checked = place_in(values);
		check_expression(&checked, module->locals[i]->expr);
		if (!checked.ok) {
			values->locals[i] = hcl_unknown(hcl_dynamic);
			values->local_status[i] = LOCAL_DONE;
		}
	}
	for (size_t i = 0; i < module->local_count; i++)
		local_value(values, (uint32_t)i);
	for (size_t i = 0; i < module->output_count; i++) {
		const struct plan_output *output = module->outputs[i];
		if (output->ephemeral && !module->call)
			zp_diag_error(values->validation->diags, output->range,
				"Ephemeral output not allowed",
				"Ephemeral outputs are not allowed in context of a root module");
		struct checked checked = place_in(values);
		check_expression(&checked, output->expr);
		for (size_t k = 0; k < output->depends_on_count; k++)
			check_expression(&checked, output->depends_on[k]);
		struct block_scope block = scope_in(values, NULL);
		if (output->expr && checked.ok) {
			struct hcl_value value = evaluate(&block, output->expr);
			if (module == values->validation->config->root)
				plan_refuse_unmarked_sensitive(
					values->validation->diags, output, value);
		}
		validate_rules(values, output->preconditions, output->precondition_count,
			checked.place, NULL);
	}
	for (size_t i = 0; i < module->variable_count; i++)
		validate_rules(values, module->variables[i]->validations,
			module->variables[i]->validation_count,
			(struct plan_place){ .module = module }, NULL);
}

static void validate_providers(struct module_values *values)
{
	const struct plan_module *module = values->module;

	for (size_t i = 0; i < module->provider_count; i++) {
		const struct plan_provider_config *config = module->providers[i];
		struct checked checked = place_in(values);
		check_body(&checked, config->body, &values->validation->arena);
		if (!checked.ok || !config->provider || !config->provider->schema)
			continue;
		struct block_scope block = scope_in(values, NULL);
		block.scope = (struct hcl_scope){ resolve, &block };
		struct hcl_evaluation ev = { .arena = &values->validation->arena,
			.diags = values->validation->diags, .scope = &block.scope,
			.functions = &values->functions };
		plan_decode_body(&ev, config->body, config->provider->schema);
	}
}

/* Depth of modules was bounded when they were loaded. */
static void validate_module(struct validation *validation, const struct plan_module *module)
{
	struct module_values values = { .validation = validation, .module = module,
		.locals = zp_new_array(&validation->arena, struct hcl_value, module->local_count),
		.local_status = zp_new_array(&validation->arena, uint8_t, module->local_count),
		.functions = { .base_dir = ".", .pure_only = true } };

	validate_values(&values);
	validate_providers(&values);
	for (size_t i = 0; i < module->resource_count; i++)
		validate_resource(&values, module->resources[i]);
	for (size_t i = 0; i < module->check_count; i++)
		validate_rules(&values, module->checks[i]->asserts, module->checks[i]->assert_count,
			(struct plan_place){ .module = module }, NULL);
	for (size_t i = 0; i < module->call_count; i++) {
		validate_call(&values, module->calls[i]);
		if (module->calls[i]->module)
			validate_module(validation, module->calls[i]->module);
	}
}

void plan_config_validate(struct plan_config *config, struct zp_diags *diags)
{
	struct validation validation = { .config = config, .diags = diags };

	zp_arena_init(&validation.arena);
	plan_check_cycles(config, diags);
	validate_module(&validation, config->root);
	zp_arena_release(&validation.arena);
}
