/* Values of input variables: conversion, defaults, validation; and where the root's come from. */
#include "base/alloc.h"
#include "planner/checks.h"

static void report_unsuitable(struct plan *plan, const struct plan_scope_module *module,
	const struct plan_variable *variable, const struct hcl_expr *expr, const char *why)
{
	zp_autobuf name = ZP_BUF_INIT;

	if (module && *module->address)
		zp_buf_printf(&name, "%s.", module->address);
	zp_buf_printf(&name, "var.%s", variable->name);
	zp_diag_error(plan->diags, expr ? expr->range : variable->range,
		"Invalid value for input variable", "The given value is not suitable for %s: %s.",
		name.ptr, why);
}

void plan_validate_variable(struct plan *plan, struct plan_scope_module *module,
	const struct plan_variable *variable)
{
	struct plan_scope scope;

	plan_scope_init(&scope, plan, module, (struct state_key){ 0 }, hcl_null(hcl_dynamic));
	scope.checked = plan_checked_named(plan, PLAN_CHECKED_VARIABLE, module, variable->index,
		variable->validation_count);
	for (size_t i = 0; i < variable->validation_count; i++) {
		size_t before = plan->diags->count;
		scope.first_rule = i;
		plan_check_rules(&scope, &variable->validations[i], 1, "Invalid value for variable",
			NULL, NULL);
		/* The place to look is the value; the rule is named in the text. */
		for (size_t k = before; k < plan->diags->count; k++) {
			struct zp_diag *diag = plan->diags->items[k];
			if (strcmp(diag->summary, "Invalid value for variable") != 0)
				continue;
			diag->detail = zp_arena_format(&plan->diags->arena,
				"%s\n\nThis was checked by the validation rule at %s.",
				diag->detail, plan_range_text(&plan->diags->arena,
					variable->validations[i].range));
			diag->subject = variable->range;
		}
	}
}

struct hcl_value plan_variable_value(struct plan *plan, struct plan_scope_module *module,
	const struct plan_variable *variable, struct hcl_value given, const struct hcl_expr *expr)
{
	bool not_given = !expr && hcl_is_unknown(given) && given.type == hcl_dynamic;
	unsigned marks = (variable->sensitive ? HCL_SENSITIVE : 0u) |
		(variable->ephemeral ? HCL_EPHEMERAL : 0u);
	struct hcl_value value = given;
	zp_autobuf why = ZP_BUF_INIT;

	if (variable->has_default && (not_given || (hcl_is_null(given) && !variable->nullable))) {
		value = variable->default_value;
	} else if (not_given) {
		return hcl_mark(hcl_unknown(hcl_type_without_optional(variable->type.type)), marks);
	} else {
		if (!hcl_is_null(value))
			value = hcl_apply_defaults(&plan->arena, variable->type.defaults, value);
		if (!hcl_convert_explained(&plan->arena, value, variable->type.type, &value, &why)) {
			report_unsuitable(plan, module, variable, expr, why.ptr);
			return hcl_unknown(hcl_type_without_optional(variable->type.type));
		}
		if (hcl_is_null(value) && !variable->nullable) {
			report_unsuitable(plan, module, variable, expr,
				"required variable may not be set to null");
			return hcl_unknown(hcl_type_without_optional(variable->type.type));
		}
	}
	return hcl_mark(value, marks);
}

/* Text of the environment or command line: itself for simple types, else an expression. */
static bool parse_text(struct plan *plan, const struct plan_variable *variable,
	const struct plan_input *input, struct hcl_value *value)
{
	const struct hcl_type *type = variable->type.type;
	size_t errors = plan->diags->errors;

	if (hcl_type_is_primitive(type) || type->kind == HCL_DYNAMIC) {
		*value = hcl_string_cstr(&plan->arena, input->text);
		return true;
	}
	zp_autofree char *name = zp_format("<value for var.%s>", variable->name);
	/* Diagnostics may refer to it for as long as the plan lives. */
	struct zp_source *source = zp_source_new(name, zp_str(input->text));
	struct plan_source_file *files = zp_reallocarray(plan->config->files,
		plan->config->file_count + 1, sizeof(*files));
	plan->config->files = files;
	plan->config->file_capacity = plan->config->file_count + 1;
	files[plan->config->file_count++] = (struct plan_source_file){ NULL, source, NULL };
	struct hcl_expr *expr = hcl_parse_expression(source, &plan->arena, plan->diags);
	struct hcl_evaluation ev = { .arena = &plan->arena, .diags = plan->diags };
	if (plan->diags->errors == errors)
		*value = hcl_evaluate(&ev, expr);
	return plan->diags->errors == errors;
}

static void report_undeclared(struct plan *plan, const struct plan_input *input)
{
	if (input->source == PLAN_FROM_FILE)
		zp_diag_warning(plan->diags, input->range, "Value for undeclared variable",
			"The root module does not declare a variable named \"%s\" but a value was "
			"found in file \"%s\". If you meant to use this value, add a \"variable\" "
			"block to the configuration.", input->name, input->origin);
	else if (input->source == PLAN_FROM_COMMAND_LINE)
		zp_diag_error(plan->diags, ZP_NOWHERE, "Value for undeclared variable",
			"A variable named \"%s\" was assigned on the command line, but the root "
			"module does not declare a variable of that name. To use this value, add a "
			"\"variable\" block to the configuration.", input->name);
}

static void take_input(struct plan *plan, const struct plan_input *input)
{
	const struct plan_module *root = plan->config->root;
	const struct plan_variable *variable = zp_map_get(&root->variable_map, zp_str(input->name));
	struct hcl_value value = hcl_unknown(hcl_dynamic);
	struct hcl_evaluation ev = { .arena = &plan->arena, .diags = plan->diags };
	size_t errors = plan->diags->errors;

	if (!variable) {
		report_undeclared(plan, input);
		return;
	}
	if (input->expr)
		value = hcl_evaluate(&ev, input->expr);
	else if (!parse_text(plan, variable, input, &value))
		return;
	if (plan->diags->errors > errors)
		return;
	plan->given_values[variable->index] = value;
	plan->root_values[variable->index] =
		plan_variable_value(plan, plan->root, variable, value, input->expr);
}

static void ask(struct plan *plan, const struct plan_options *options,
	const struct plan_variable *variable)
{
	zp_autofree char *text = options->prompt ?
		options->prompt(options->prompt_data, variable) : NULL;

	if (text) {
		struct plan_input input = { .name = variable->name, .source = PLAN_FROM_PROMPT,
			.text = text, .origin = "prompt" };
		take_input(plan, &input);
		return;
	}
	zp_diag_error(plan->diags, variable->range, "No value for required variable",
		"The root module input variable \"%s\" is not set, and has no default value. Use a "
		"-var or -var-file command line argument to provide a value for this variable.",
		variable->name);
}

bool plan_take_inputs(struct plan *plan, const struct plan_options *options)
{
	const struct plan_module *root = plan->config->root;
	size_t errors = plan->diags->errors;

	plan->root_values = zp_new_array(&plan->arena, struct hcl_value, root->variable_count);
	plan->given_values = zp_new_array(&plan->arena, struct hcl_value, root->variable_count);
	for (size_t i = 0; i < options->input_count; i++)
		take_input(plan, &options->inputs[i]);
	for (size_t i = 0; i < root->variable_count && plan->diags->errors == errors; i++) {
		const struct plan_variable *variable = root->variables[i];
		if (plan->root_values[i].type)
			continue;
		if (variable->has_default)
			plan->root_values[i] = plan_variable_value(plan, plan->root, variable,
				hcl_unknown(hcl_dynamic), NULL);
		else if (!plan->only_looks)
			ask(plan, options, variable);
		else
			plan->root_values[i] = plan_variable_value(plan, plan->root, variable,
				hcl_unknown(hcl_dynamic), NULL);
	}
	return plan->diags->errors == errors;
}

void plan_validate_variables(struct plan *plan, struct plan_scope_module *module)
{
	const bool *selected =
		module == plan->root && plan->target_count ? plan->selected_variables : NULL;

	for (size_t i = 0; i < module->config->variable_count; i++) {
		if (selected && !selected[i])
			continue; /* nothing in this plan uses it */
		plan_cell_value(plan, &module->variables[i]);
		plan_validate_variable(plan, module, module->config->variables[i]);
	}
}
