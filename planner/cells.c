#include "planner/checks.h"

static void init_cells(struct plan *plan, struct plan_cell *cells, size_t count,
	enum plan_cell_kind kind, struct plan_scope_module *module)
{
	(void)plan;
	for (size_t i = 0; i < count; i++) {
		cells[i].kind = kind;
		cells[i].index = (uint32_t)i;
		cells[i].module = module;
	}
}

static const char *module_address(struct zp_arena *arena, const struct plan_scope_module *parent,
	const struct plan_call_cell *made_by, struct state_key key)
{
	zp_autobuf address = ZP_BUF_INIT;

	if (!made_by)
		return "";
	if (*parent->address)
		zp_buf_printf(&address, "%s.", parent->address);
	zp_buf_printf(&address, "module.%s", made_by->call->name);
	state_key_text(key, &address);
	return zp_arena_strndup(arena, address.ptr, address.len);
}

const char *plan_block_address(struct zp_arena *arena, const char *address)
{
	char *block, *to;
	bool quoted = false, inside = false;

	if (!strchr(address, '['))
		return address;
	block = to = zp_arena_strdup(arena, address);
	for (const char *from = address; *from; from++) {
		if (quoted && *from == '\\' && from[1])
			from++;
		else if (inside && *from == '"')
			quoted = !quoted;
		else if (!quoted && *from == '[')
			inside = true;
		else if (!quoted && *from == ']')
			inside = false;
		else if (!inside)
			*to++ = *from;
	}
	*to = 0;
	return block;
}

static void init_resources(struct plan *plan, struct plan_scope_module *module)
{
	const struct plan_module *config = module->config;

	module->resources = zp_new_array(&plan->arena, struct plan_resource_cell,
		config->resource_count);
	for (size_t i = 0; i < config->resource_count; i++) {
		struct plan_resource_cell *resource = &module->resources[i];
		init_cells(plan, &resource->cell, 1, PLAN_CELL_RESOURCE, module);
		init_cells(plan, &resource->expand, 1, PLAN_CELL_RESOURCE, module);
		resource->cell.index = resource->expand.index = (uint32_t)i;
		resource->config = config->resources[i];
		resource->address = *module->address ?
			zp_arena_format(&plan->arena, "%s.%s", module->address,
				resource->config->address) : resource->config->address;
		resource->block = plan_block_address(&plan->arena, resource->address);
		resource->create_before_destroy =
			resource->config->lifecycle.create_before_destroy;
	}
}

struct plan_scope_module *plan_module_instance(struct plan *plan, const struct plan_module *config,
	struct plan_scope_module *parent, struct plan_call_cell *made_by, struct state_key key,
	struct hcl_value each_value)
{
	struct zp_arena *arena = &plan->arena;
	struct plan_scope_module *module = zp_new(arena, struct plan_scope_module);

	module->config = config;
	module->parent = parent;
	module->made_by = made_by;
	module->key = key;
	module->each_value = each_value;
	module->address = module_address(arena, parent, made_by, key);
	module->variables = zp_new_array(arena, struct plan_cell, config->variable_count);
	module->locals = zp_new_array(arena, struct plan_cell, config->local_count);
	module->outputs = zp_new_array(arena, struct plan_cell, config->output_count);
	module->providers = zp_new_array(arena, struct plan_cell, config->provider_count);
	module->calls = zp_new_array(arena, struct plan_call_cell, config->call_count);
	init_cells(plan, module->variables, config->variable_count, PLAN_CELL_VARIABLE, module);
	init_cells(plan, module->locals, config->local_count, PLAN_CELL_LOCAL, module);
	init_cells(plan, module->outputs, config->output_count, PLAN_CELL_OUTPUT, module);
	init_cells(plan, module->providers, config->provider_count, PLAN_CELL_PROVIDER, module);
	init_resources(plan, module);
	for (size_t i = 0; i < config->call_count; i++) {
		init_cells(plan, &module->calls[i].cell, 1, PLAN_CELL_CALL, module);
		module->calls[i].cell.index = (uint32_t)i;
		module->calls[i].call = config->calls[i];
	}
	module->functions = (struct hcl_functions){ .base_dir = ".",
		.plan_time = zp_str(plan->created), .pure_only = !plan->applying && !plan->only_looks };
	return module;
}

void plan_cell_name(const struct plan_cell *cell, struct zp_buf *out)
{
	const struct plan_scope_module *module = cell->module;

	if (*module->address)
		zp_buf_printf(out, "%s.", module->address);
	switch (cell->kind) {
	case PLAN_CELL_VARIABLE:
		zp_buf_printf(out, "var.%s", module->config->variables[cell->index]->name);
		break;
	case PLAN_CELL_LOCAL:
		zp_buf_printf(out, "local.%s", module->config->locals[cell->index]->name);
		break;
	case PLAN_CELL_OUTPUT:
		zp_buf_printf(out, "output.%s", module->config->outputs[cell->index]->name);
		break;
	case PLAN_CELL_RESOURCE:
		zp_buf_puts(out, module->config->resources[cell->index]->address);
		break;
	case PLAN_CELL_INSTANCE: {
		const struct plan_instance *instance = (const struct plan_instance *)cell;
		zp_buf_puts(out, instance->resource->config->address);
		state_key_text(instance->key, out);
		break;
	}
	case PLAN_CELL_CALL:
		zp_buf_printf(out, "module.%s", module->config->calls[cell->index]->name);
		break;
	case PLAN_CELL_PROVIDER:
		zp_buf_printf(out, "provider[%s]", module->config->providers[cell->index]->name);
	}
}

void plan_touch(struct plan *plan, struct plan_cell *cell)
{
	if (!plan->frames.count || plan->applying)
		return;
	struct plan_frame *frame = &plan->frames.items[plan->frames.count - 1];
	if (cell->touched_by == frame->serial || frame->cell == cell)
		return;
	cell->touched_by = frame->serial;
	zp_vec_push(&frame->needs, cell);
}

static void report_cycle(struct plan *plan, const struct plan_cell *met)
{
	zp_autobuf summary = ZP_BUF_INIT;
	bool inside = false;

	zp_buf_puts(&summary, "Cycle: ");
	for (size_t i = 0; i < plan->frames.count; i++) {
		const struct plan_cell *cell = plan->frames.items[i].cell;
		bool first = !inside && cell == met;
		inside |= first;
		if (!inside)
			continue;
		if (!first)
			zp_buf_puts(&summary, ", ");
		plan_cell_name(cell, &summary);
	}
	zp_diag_error(plan->diags, ZP_NOWHERE, summary.ptr, "%s", "");
}

static struct hcl_value call_argument(struct plan *plan, struct plan_scope_module *module,
	const struct plan_variable *variable)
{
	struct plan_call_cell *call = module->made_by;
	struct plan_scope scope;

	if (!call->arguments_read) {
		hcl_body_attributes(call->call->body, &plan->arena, &call->arguments, plan->diags);
		call->arguments_read = true;
	}
	struct hcl_attribute *argument = hcl_content_attribute(&call->arguments, variable->name);
	/* The call decides each.value: what it stands on comes before its arguments. */
	plan_touch(plan, &call->cell);
	if (plan->applying && !hcl_is_wholly_known(module->each_value))
		module->each_value = plan_each_value(plan, module->parent, call->call->for_each,
			&call->repetition, module->key);
	plan_scope_init(&scope, plan, module->parent, module->key, module->each_value);
	if (!argument)
		return plan_variable_value(plan, module, variable, hcl_unknown(hcl_dynamic), NULL);
	size_t errors = plan->diags->errors;
	struct hcl_value value = plan_evaluate(&scope, argument->expr);
	if (plan->diags->errors > errors)
		return hcl_unknown(hcl_type_without_optional(variable->type.type));
	return plan_variable_value(plan, module, variable, value, argument->expr);
}

static struct hcl_value evaluate_variable(struct plan *plan, struct plan_cell *cell)
{
	const struct plan_variable *variable = cell->module->config->variables[cell->index];

	if (cell->module->made_by)
		return call_argument(plan, cell->module, variable);
	return plan->root_values[cell->index];
}

bool plan_check_output(struct plan *plan, struct plan_scope_module *module, uint32_t index)
{
	const struct plan_output *output = module->config->outputs[index];
	struct plan_scope scope;

	plan_scope_init(&scope, plan, module, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	scope.checked = plan_checked_named(plan, PLAN_CHECKED_OUTPUT, module, index,
		output->precondition_count);
	return plan_check_rules(&scope, output->preconditions, output->precondition_count,
		"Module output value precondition failed", NULL, NULL);
}

static struct hcl_value evaluate_output(struct plan *plan, struct plan_cell *cell)
{
	const struct plan_output *output = cell->module->config->outputs[cell->index];
	struct plan_scope scope;

	plan_scope_init(&scope, plan, cell->module, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	for (size_t i = 0; i < output->depends_on_count; i++) {
		struct plan_reference target;
		if (plan_resolve_static(cell->module->config, output->depends_on[i], &target) &&
			target.target == PLAN_TO_RESOURCE)
			plan_cell_ok(plan, &cell->module->resources[target.index].cell);
	}
	if (!plan_check_output(plan, cell->module, cell->index))
		return hcl_unknown(hcl_dynamic);
	struct hcl_value value = plan_evaluate(&scope, output->expr);
	if (!output->ephemeral && value.inside & HCL_EPHEMERAL)
		zp_diag_error(plan->diags, output->expr->range, "Ephemeral value not allowed",
			"This output value is not declared as returning an ephemeral value, so it "
			"cannot be set to a result derived from an ephemeral value.");
	unsigned marks = (output->sensitive ? HCL_SENSITIVE : 0u) |
		(output->ephemeral ? HCL_EPHEMERAL : 0u);
	/* The root's outputs say that they are sensitive; a module's mark what they give out. */
	return cell->module->made_by ? hcl_mark(value, marks) : value;
}

static void evaluate_resource(struct plan *plan, struct plan_resource_cell *resource)
{
	for (uint32_t i = 0; i < resource->repetition.count; i++)
		plan_cell_value(plan, &resource->instances[i].cell);
}

static void evaluate_kind(struct plan *plan, struct plan_cell *cell)
{
	struct plan_scope scope;

	switch (cell->kind) {
	case PLAN_CELL_VARIABLE:
		cell->value = evaluate_variable(plan, cell);
		break;
	case PLAN_CELL_LOCAL:
		plan_scope_init(&scope, plan, cell->module, (struct state_key){ 0 },
			hcl_null(hcl_dynamic));
		cell->value = plan_evaluate(&scope, cell->module->config->locals[cell->index]->expr);
		break;
	case PLAN_CELL_OUTPUT:
		cell->value = evaluate_output(plan, cell);
		break;
	case PLAN_CELL_RESOURCE: {
		struct plan_resource_cell *resource = &cell->module->resources[cell->index];
		if (cell == &resource->expand) {
			if (!plan_resource_expand(plan, resource))
				cell->status = PLAN_FAILED;
		} else if (plan_cell_ok(plan, &resource->expand)) {
			evaluate_resource(plan, resource);
		} else {
			cell->status = PLAN_FAILED;
		}
		break;
	}
	case PLAN_CELL_INSTANCE:
		plan_instance_evaluate(plan, (struct plan_instance *)cell);
		break;
	case PLAN_CELL_CALL:
		if (!plan_call_expand(plan, (struct plan_call_cell *)cell))
			cell->status = PLAN_FAILED;
		break;
	case PLAN_CELL_PROVIDER:
		break;
	}
}

static void evaluate(struct plan *plan, struct plan_cell *cell)
{
	struct plan_frame frame = { .cell = cell, .serial = ++plan->serial };
	size_t errors = plan->diags->errors;

	cell->status = PLAN_BUSY;
	zp_vec_push(&plan->frames, frame);
	plan->depth++;
	evaluate_kind(plan, cell);
	plan->depth--;
	struct plan_frame *done = &plan->frames.items[--plan->frames.count];
	if (!plan->applying) {
		cell->need_count = (uint32_t)done->needs.count;
		cell->needs = zp_vec_to_arena(&done->needs, &plan->arena);
		cell->number = (uint32_t)plan->cells.count;
		zp_vec_push(&plan->cells, cell);
	}
	zp_vec_release(&done->needs);
	/* What a module is given may not be known before, and is checked before anything uses it. */
	if (plan->applying && cell->kind == PLAN_CELL_VARIABLE && plan->diags->errors == errors) {
		cell->status = PLAN_DONE;
		plan_validate_variable(plan, cell->module, cell->module->config->variables[cell->index]);
		if (plan->diags->errors > errors)
			cell->status = PLAN_FAILED;
	}
	if (cell->status != PLAN_FAILED)
		cell->status = plan->diags->errors > errors ? PLAN_FAILED : PLAN_DONE;
}

bool plan_cell_ok(struct plan *plan, struct plan_cell *cell)
{
	plan_touch(plan, cell);
	if (cell->status == PLAN_BUSY) {
		report_cycle(plan, cell);
		return false;
	}
	if (cell->status == PLAN_NEW && plan->depth >= PLAN_MAX_DEPTH) {
		zp_diag_error(plan->diags, ZP_NOWHERE, "References nested too deeply",
			"A chain of more than %d references could not be followed.", PLAN_MAX_DEPTH);
		return false;
	}
	if (cell->status == PLAN_NEW)
		evaluate(plan, cell);
	return cell->status == PLAN_DONE;
}

struct hcl_value plan_cell_value(struct plan *plan, struct plan_cell *cell)
{
	/* What failed was reported where it failed: dependents see an unknown value, not an error. */
	if (!plan_cell_ok(plan, cell) && !cell->value.type)
		return hcl_unknown(hcl_dynamic);
	return cell->value.type ? cell->value : hcl_unknown(hcl_dynamic);
}
