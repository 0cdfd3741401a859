/* Blocks that declare values: variable, locals, output, check. */
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct hcl_block_schema validation_blocks[] = { { "validation", NULL } };
static const struct hcl_attribute_schema variable_attributes[] = {
	{ "description", false }, { "default", false },	 { "type", false },
	{ "sensitive", false },	  { "nullable", false }, { "ephemeral", false },
};
static const struct hcl_body_schema variable_schema = { variable_attributes,
	COUNT(variable_attributes), validation_blocks, COUNT(validation_blocks) };

static bool is_reserved_variable(struct zp_str name)
{
	static const char *const reserved[] = { "source", "version", "providers", "count",
		"for_each", "lifecycle", "depends_on", "locals" };

	for (size_t i = 0; i < COUNT(reserved); i++)
		if (zp_str_is(name, reserved[i]))
			return true;
	return false;
}

/* What types were called before there were type expressions. */
static bool old_type(struct plan_loader *loader, struct plan_variable *variable,
	const struct hcl_expr *type)
{
	const char *keyword = hcl_expr_keyword(type);
	bool list = keyword && strcmp(keyword, "list") == 0;

	if (list || (keyword && strcmp(keyword, "map") == 0)) {
		variable->type.type =
			list ? hcl_list_type(hcl_dynamic) : hcl_map_type(hcl_dynamic);
		return true;
	}
	if (type->kind != HCL_EXPR_LITERAL || type->literal.type != hcl_string ||
		type->range.file->text.ptr[type->range.start] != '"')
		return false;
	const char *name = type->literal.text;
	if (strcmp(name, "string") != 0 && strcmp(name, "list") != 0 && strcmp(name, "map") != 0) {
		zp_diag_error(loader->diags, type->range, "Invalid legacy variable type hint",
			"To provide a full type expression, remove the surrounding quotes and give "
			"the type expression directly.");
		return true;
	}
	zp_autofree char *instead = strcmp(name, "string") == 0 ? zp_strdup("") :
		zp_format(" and write %s(string) instead to explicitly indicate that the %s "
			"elements are strings", name, name);
	zp_diag_error(loader->diags, type->range, "Invalid quoted type constraints",
		"Terraform 0.11 and earlier required type constraints to be given in quotes, but that "
		"form is now deprecated and will be removed in a future version of Terraform. Remove "
		"the quotes around \"%s\"%s.", name, instead);
	return true;
}

static void load_variable_type(struct plan_loader *loader, struct plan_variable *variable,
	const struct hcl_content *content)
{
	struct hcl_expr *type = plan_content_expr(content, "type");

	variable->type = (struct hcl_constraint){ hcl_dynamic, NULL };
	if (type && old_type(loader, variable, type))
		return;
	if (type && !hcl_type_expression(type, loader->arena, true, &variable->type, loader->diags))
		variable->type = (struct hcl_constraint){ hcl_dynamic, NULL };
}

static void load_variable_default(struct plan_loader *loader, struct plan_variable *variable,
	const struct hcl_content *content)
{
	struct hcl_expr *expr = plan_content_expr(content, "default");
	struct hcl_evaluation ev = { .arena = loader->arena, .diags = loader->diags };
	size_t errors = loader->diags->errors;
	zp_autobuf why = ZP_BUF_INIT;

	if (!expr)
		return;
	variable->has_default = true;
	variable->default_value = hcl_null(hcl_type_without_optional(variable->type.type));
	struct hcl_value value = hcl_evaluate(&ev, expr);
	if (loader->diags->errors > errors)
		return;
	if (!hcl_is_null(value))
		value = hcl_apply_defaults(loader->arena, variable->type.defaults, value);
	if (!hcl_convert_explained(loader->arena, value, variable->type.type, &variable->default_value,
		    &why))
		zp_diag_error(loader->diags, expr->range, "Invalid default value for variable",
			"This default value is not compatible with the variable's type "
			"constraint: %s.", why.ptr);
	else if (hcl_is_null(value) && !variable->nullable)
		zp_diag_error(loader->diags, expr->range, "Invalid default value for variable",
			"A null default value is not valid when nullable=false.");
}

struct search {
	const char *variable;
	bool found;
};

static void look_for_variable(void *data, const struct hcl_expr *traversal)
{
	struct search *search = data;

	if (strcmp(traversal->traversal.root, "var") == 0 && traversal->traversal.count &&
		traversal->traversal.steps[0].name &&
		strcmp(traversal->traversal.steps[0].name, search->variable) == 0)
		search->found = true;
}

/* A condition about other values only says nothing of this one. */
static void check_subject(struct plan_loader *loader, const struct plan_variable *variable,
	const struct plan_check_rule *rule)
{
	struct search search = { .variable = variable->name };

	if (!rule->condition || rule->condition->kind == HCL_EXPR_ERROR)
		return;
	hcl_expr_references(rule->condition, look_for_variable, &search);
	if (!search.found)
		zp_diag_error(loader->diags, rule->condition->range,
			"Invalid variable validation condition",
			"The condition for variable \"%s\" must refer to var.%s in order to test "
			"incoming values.", variable->name, variable->name);
}

static void load_validations(struct plan_loader *loader, struct plan_variable *variable,
	const struct hcl_content *content)
{
	struct plan_rule_vec rules = { 0 };

	for (size_t i = 0; i < content->block_count; i++) {
		struct plan_check_rule rule = plan_load_rule(loader, content->blocks[i]);
		check_subject(loader, variable, &rule);
		if (rule.condition && rule.error_message)
			zp_vec_push(&rules, rule);
	}
	variable->validations = zp_vec_to_arena(&rules, loader->arena);
	variable->validation_count = rules.count;
	zp_vec_release(&rules);
}

void plan_load_variable(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_variable *variable = zp_new(loader->arena, struct plan_variable);
	struct zp_str name = block->labels[0];
	struct hcl_content content = plan_content(loader, block->body, &variable_schema, NULL);

	plan_check_name(loader, name, block->label_ranges[0], "Invalid variable name");
	if (is_reserved_variable(name))
		zp_diag_error(loader->diags, block->label_ranges[0], "Invalid variable name",
			"The variable name \"%.*s\" is reserved due to its special meaning inside "
			"module blocks.", ZP_FMT(name));
	variable->name = zp_intern(name);
	variable->range = block->header_range;
	variable->description = plan_constant_string(loader, &content, "description");
	variable->sensitive = plan_constant_bool(loader, &content, "sensitive", false);
	variable->ephemeral = plan_constant_bool(loader, &content, "ephemeral", false);
	variable->nullable = plan_constant_bool(loader, &content, "nullable", true);
	load_variable_type(loader, variable, &content);
	load_variable_default(loader, variable, &content);
	load_validations(loader, variable, &content);

	void **slot = zp_map_slot(&loader->module->variable_map, zp_str(variable->name));
	if (*slot) {
		zp_diag_error(loader->diags, block->header_range, "Duplicate variable declaration",
			"A variable named \"%s\" was already declared at %s. Variable names must be "
			"unique within a module.", variable->name,
			plan_range_text(loader->arena, ((struct plan_variable *)*slot)->range));
		return;
	}
	*slot = variable;
	variable->index = (uint32_t)loader->variables.count;
	zp_vec_push(&loader->variables, variable);
}

static void declare_local(struct plan_loader *loader, const struct hcl_attribute *attribute)
{
	if (!plan_check_name(loader, zp_str(attribute->name), hcl_attribute_name_range(attribute),
		    "Invalid local value name"))
		return;
	void **slot = zp_map_slot(&loader->module->local_map, zp_str(attribute->name));
	if (*slot) {
		zp_diag_error(loader->diags, attribute->range, "Duplicate local value definition",
			"A local value named \"%s\" was already defined at %s. Local value names "
			"must be unique within a module.", attribute->name,
			plan_range_text(loader->arena, ((struct plan_local *)*slot)->range));
		return;
	}
	struct plan_local *local = zp_new(loader->arena, struct plan_local);
	local->name = attribute->name;
	local->expr = attribute->expr;
	local->range = attribute->range;
	local->index = (uint32_t)loader->locals.count;
	*slot = local;
	zp_vec_push(&loader->locals, local);
}

void plan_load_locals(struct plan_loader *loader, const struct hcl_block *block)
{
	struct hcl_content content = { 0 };

	hcl_body_attributes(block->body, loader->arena, &content, loader->diags);
	for (size_t i = 0; i < content.attribute_count; i++)
		declare_local(loader, content.attributes[i]);
}

static const struct hcl_block_schema output_blocks[] = { { "precondition", NULL },
	{ "postcondition", NULL } };
static const struct hcl_attribute_schema output_attributes[] = {
	{ "description", false }, { "value", true },	  { "depends_on", false },
	{ "sensitive", false },	  { "ephemeral", false },
};
static const struct hcl_body_schema output_schema = { output_attributes, COUNT(output_attributes),
	output_blocks, COUNT(output_blocks) };

static void load_preconditions(struct plan_loader *loader, struct plan_output *output,
	const struct hcl_content *content)
{
	struct plan_rule_vec rules = { 0 };

	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		if (strcmp(block->type, "postcondition") == 0) {
			zp_diag_error(loader->diags, block->type_range,
				"Postconditions are not allowed",
				"Output values can only have preconditions, not postconditions.");
			continue;
		}
		struct plan_check_rule rule = plan_load_rule(loader, block);
		if (rule.condition && rule.error_message)
			zp_vec_push(&rules, rule);
	}
	output->preconditions = zp_vec_to_arena(&rules, loader->arena);
	output->precondition_count = rules.count;
	zp_vec_release(&rules);
}

void plan_load_output(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_output *output = zp_new(loader->arena, struct plan_output);
	struct zp_str name = block->labels[0];
	struct hcl_content content = plan_content(loader, block->body, &output_schema, NULL);

	plan_check_name(loader, name, block->label_ranges[0], "Invalid output name");
	output->name = zp_intern(name);
	output->range = block->header_range;
	output->expr = plan_content_expr(&content, "value");
	output->description = plan_constant_string(loader, &content, "description");
	output->sensitive = plan_constant_bool(loader, &content, "sensitive", false);
	output->ephemeral = plan_constant_bool(loader, &content, "ephemeral", false);
	output->depends_on = plan_depends_on(loader, &content, &output->depends_on_count);
	load_preconditions(loader, output, &content);

	void **slot = zp_map_slot(&loader->module->output_map, zp_str(output->name));
	if (*slot) {
		zp_diag_error(loader->diags, block->header_range, "Duplicate output definition",
			"An output named \"%s\" was already defined at %s. Output names must be "
			"unique within a module.", output->name,
			plan_range_text(loader->arena, ((struct plan_output *)*slot)->range));
		return;
	}
	*slot = output;
	output->index = (uint32_t)loader->outputs.count;
	zp_vec_push(&loader->outputs, output);
}

static const char *const data_labels[] = { "type", "name", NULL };
static const struct hcl_block_schema check_blocks[] = { { "data", data_labels },
	{ "assert", NULL } };
static const struct hcl_body_schema check_schema = { NULL, 0, check_blocks, COUNT(check_blocks) };

void plan_load_check(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_check *check = zp_new(loader->arena, struct plan_check);
	struct hcl_content content = plan_content(loader, block->body, &check_schema, NULL);
	struct plan_rule_vec rules = { 0 };

	plan_check_name(loader, block->labels[0], block->label_ranges[0], "Invalid check block name");
	check->name = zp_intern(block->labels[0]);
	check->range = block->header_range;
	for (size_t i = 0; i < content.block_count; i++) {
		if (strcmp(content.blocks[i]->type, "data") == 0) {
			size_t before = loader->resources.count;
			plan_load_resource(loader, content.blocks[i]);
			if (loader->resources.count > before) {
				check->data = loader->resources.items[before];
				check->data->in_check = true;
			}
			continue;
		}
		struct plan_check_rule rule = plan_load_rule(loader, content.blocks[i]);
		if (rule.condition && rule.error_message)
			zp_vec_push(&rules, rule);
	}
	if (!rules.count)
		zp_diag_error(loader->diags, block->header_range, "Zero assert blocks",
			"Check blocks must have at least one assert block.");
	check->asserts = zp_vec_to_arena(&rules, loader->arena);
	check->assert_count = rules.count;
	zp_vec_release(&rules);
	check->index = (uint32_t)loader->checks.count;
	zp_vec_push(&loader->checks, check);
}
