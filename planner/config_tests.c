/* Test files: *.tftest.hcl and *.tftest.json. Nothing runs them; validate says what is wrong in
 * them. */
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char STATIC_REFERENCE[] =
	"A single static variable reference is required: only attribute access and indexing with "
	"constant keys. No calculations, function calls, template expressions, etc are allowed "
	"here.";

static const char *const name_label[] = { "name", NULL };
static const char *const type_label[] = { "type", NULL };

/* An override whose target is looked up, for a warning, once everything has been read without
 * errors. */
struct override {
	struct zp_range range; /* of the attribute */
	const struct hcl_expr *target;
};

/* One file, and what its blocks have named so far: "what name" -> the range of the first one. */
struct test_file {
	struct plan_loader *loader;
	struct zp_map seen;
	ZP_VEC(, struct override) overrides;
};

/* NULL the first time; then where it was before, as messages name it. */
static const char *seen_before(struct test_file *file, const char *text, struct zp_range range)
{
	/* The map refers to its keys. */
	struct zp_str key = zp_str(zp_arena_strdup(file->loader->arena, text));
	void **slot = zp_map_slot(&file->seen, key);

	if (*slot)
		return plan_range_text(file->loader->arena, *(struct zp_range *)*slot);
	struct zp_range *place = zp_new(file->loader->arena, struct zp_range);
	*place = range;
	*slot = place;
	return NULL;
}

/* For blocks that may stand once in their parent, which is at `parent` (0 for the file). */
static void refuse_second(
	struct test_file *file, const struct hcl_block *block, const char *where, uint32_t parent)
{
	zp_autofree char *key = zp_format("once %u %s", parent, block->type);
	const char *before = seen_before(file, key, block->header_range);

	if (!before)
		return;
	zp_autofree char *summary = zp_format("Multiple \"%s\" blocks", block->type);
	zp_diag_error(file->loader->diags, block->header_range, summary,
		"This %s already has a %s block defined at %s.", where, block->type, before);
}

/* An attribute that is one of the words, without quotes. NULL without it, or after a diagnostic. */
static const char *keyword(struct test_file *file, const struct hcl_content *content,
	const char *name, const char *const *words, const char *wanted)
{
	struct hcl_expr *expr = plan_content_expr(content, name);

	if (!expr || expr->kind == HCL_EXPR_ERROR)
		return NULL;
	const char *word = hcl_expr_keyword(plan_static(file->loader, expr));
	for (size_t i = 0; word && words[i]; i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	zp_autofree char *summary = zp_format("Invalid \"%s\" keyword", name);
	zp_diag_error(file->loader->diags, expr->range, summary,
		"The \"%s\" argument requires one of the following keywords without quotes: %s",
		name, wanted);
	return NULL;
}

/* Calls check for each item of a list of references. */
static void references(struct test_file *file, const struct hcl_content *content, const char *name,
	void (*check)(struct test_file *file, const struct hcl_expr *item))
{
	struct hcl_expr *list = plan_content_expr(content, name);
	struct hcl_expr **items;
	size_t count;

	if (!list || !plan_static_list(file->loader, list, &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (items[i]->kind == HCL_EXPR_TRAVERSAL)
			check(file, items[i]);
		else if (items[i]->kind != HCL_EXPR_ERROR)
			zp_diag_error(file->loader->diags, items[i]->range, "Invalid expression",
				"%s", STATIC_REFERENCE);
	}
}

static void any_reference(struct test_file *file, const struct hcl_expr *item)
{
	(void)file;
	(void)item;
}

static void failing_reference(struct test_file *file, const struct hcl_expr *item)
{
	static const char *const never[] = { "local", "path", "module", "each", "count", "self",
		"terraform", "run" };
	const char *root = item->traversal.root;

	for (size_t i = 0; i < COUNT(never); i++)
		if (strcmp(root, never[i]) == 0) {
			zp_diag_error(file->loader->diags, item->range,
				"Invalid `expect_failures` reference",
				"You cannot expect failures from %.*s. You can only expect "
				"failures "
				"from checkable objects such as input variables, output values, "
				"check "
				"blocks, managed resources and data sources.",
				ZP_FMT(zp_range_text(item->range)));
			return;
		}
	if (!item->traversal.count)
		zp_diag_error(file->loader->diags, item->range, "Invalid reference",
			"A reference to a resource type must be followed by at least one attribute "
			"access, specifying the resource name.");
}

/* ---- overrides ---- */

static const struct override_kind {
	const char *type, *values, *targets;
} override_kinds[] = {
	{ "override_resource", "values", "resources" },
	{ "override_data", "values", "data sources" },
	{ "override_module", "outputs", "modules" },
};

/* The names of a reference, its root first; NULL for an index, and behind the end. */
static const char *name_at(const struct hcl_expr *target, size_t at)
{
	if (at > target->traversal.count)
		return NULL;
	return at ? target->traversal.steps[at - 1].name : target->traversal.root;
}

static bool is_name(const struct hcl_expr *target, size_t at, const char *wanted)
{
	const char *name = name_at(target, at);

	return name && strcmp(name, wanted) == 0;
}

/* How many names and indexes of the reference lead to a module; *module becomes that, or NULL. */
static size_t skip_modules(const struct hcl_expr *target, const struct plan_module **module)
{
	size_t at = 0;

	while (is_name(target, at, "module") && name_at(target, at + 1)) {
		struct plan_call *call = !*module ? NULL
						  : zp_map_get(&(*module)->call_map,
							    zp_str(name_at(target, at + 1)));
		*module = call ? call->module : NULL;
		at += 2;
		if (at <= target->traversal.count && !name_at(target, at))
			at++;
	}
	return at;
}

static const char *kind_of_target(const struct hcl_expr *target)
{
	const struct plan_module *module = NULL;
	size_t at = skip_modules(target, &module);

	return at > target->traversal.count  ? "modules"
	       : is_name(target, at, "data") ? "data sources"
					     : "resources";
}

static bool target_exists(const struct plan_module *module, const struct hcl_expr *target)
{
	size_t at = skip_modules(target, &module);
	const char *type = name_at(target, at), *name = name_at(target, at + 1);

	if (!module || at > target->traversal.count)
		return module;
	bool data = is_name(target, at, "data");
	if (!type || !name || (data && !name_at(target, at + 2)))
		return false;
	zp_autofree char *key = data ? zp_format("data.%s.%s", name, name_at(target, at + 2))
				     : zp_format("%s.%s", type, name);
	return zp_map_get(&module->resource_map, zp_str(key));
}

static void check_target(struct test_file *file, const struct override_kind *kind,
	const struct hcl_block *block, const struct hcl_attribute *attribute, uint32_t parent)
{
	struct hcl_expr *target = plan_static(file->loader, attribute->expr);
	struct zp_diags *diags = file->loader->diags;
	struct zp_str text = zp_range_text(target->range);

	if (target->kind != HCL_EXPR_TRAVERSAL) {
		if (target->kind != HCL_EXPR_ERROR)
			zp_diag_error(
				diags, target->range, "Invalid expression", "%s", STATIC_REFERENCE);
		return;
	}
	if (strcmp(kind_of_target(target), kind->targets) != 0) {
		zp_diag_error(diags, attribute->range, "Invalid override target",
			"You can only target %s from %s blocks, not %.*s.", kind->targets,
			kind->type, ZP_FMT(text));
		return;
	}
	zp_autofree char *key = zp_format("override %u %.*s", parent, ZP_FMT(text));
	const char *before = seen_before(file, key, block->header_range);
	if (before) {
		zp_autofree char *summary = zp_format("Duplicate %s block", kind->type);
		zp_diag_error(diags, block->header_range, summary,
			"An %s block targeting %.*s has already been defined at %s.", kind->type,
			ZP_FMT(text), before);
	}
	struct override override = { attribute->range, target };
	zp_vec_push(&file->overrides, override);
}

static void check_during(struct test_file *file, const struct hcl_content *content)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, "override_during");
	const char *word =
		attribute ? hcl_expr_keyword(plan_static(file->loader, attribute->expr)) : NULL;

	if (attribute && (!word || (strcmp(word, "plan") != 0 && strcmp(word, "apply") != 0)))
		zp_diag_error(file->loader->diags, attribute->range,
			"Invalid override_during value",
			"The override_during attribute must be a value of plan or apply.");
}

/* Values given for a block of a type: a constant object. */
static void check_values(struct test_file *file, const struct hcl_content *content,
	const char *name, const char *type)
{
	struct hcl_attribute *attribute = hcl_content_attribute(content, name);
	struct plan_loader *loader = file->loader;
	struct hcl_evaluation ev = { .arena = loader->arena, .diags = loader->diags };

	if (!attribute)
		return;
	struct hcl_value value = hcl_evaluate(&ev, attribute->expr);
	bool object = value.type->kind == HCL_OBJECT || value.type->kind == HCL_MAP;
	if (value.state == HCL_KNOWN && object)
		return;
	zp_autofree char *summary = zp_format("Invalid %s attribute", name);
	zp_diag_error(loader->diags, attribute->range, summary,
		"%s blocks must specify %s %s attribute that is an object.", type,
		strchr("aeiou", *name) ? "an" : "a", name);
}

static void load_override(struct test_file *file, const struct override_kind *kind,
	const struct hcl_block *block, uint32_t parent)
{
	const struct hcl_attribute_schema attributes[] = { { "target", false },
		{ kind->values, false }, { "override_during", false } };
	const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(file->loader, block->body, &schema, NULL);
	struct hcl_attribute *target = hcl_content_attribute(&content, "target");

	check_values(file, &content, kind->values, kind->type);
	check_during(file, &content);
	if (target)
		check_target(file, kind, block, target, parent);
	else
		zp_diag_error(file->loader->diags, block->header_range, "Missing target attribute",
			"%s blocks must specify a target address.", kind->type);
}

/* True when it was an override. */
static bool load_if_override(struct test_file *file, const struct hcl_block *block, uint32_t parent)
{
	for (size_t i = 0; i < COUNT(override_kinds); i++)
		if (strcmp(block->type, override_kinds[i].type) == 0) {
			load_override(file, &override_kinds[i], block, parent);
			return true;
		}
	return false;
}

/* ---- variables, providers ---- */

static void load_variables(
	struct test_file *file, const struct hcl_block *block, const char *where, uint32_t parent)
{
	struct hcl_content content;

	hcl_body_attributes(block->body, file->loader->arena, &content, file->loader->diags);
	refuse_second(file, block, where, parent);
}

static void refuse_second_provider(
	struct test_file *file, const struct hcl_block *block, const char *alias)
{
	zp_autofree char *name = zp_format(
		"%.*s%s%s", ZP_FMT(block->labels[0]), alias ? "." : "", alias ? alias : "");
	zp_autofree char *key = zp_format("provider %s", name);
	const char *before = seen_before(file, key, block->label_ranges[0]);

	if (before)
		zp_diag_error(file->loader->diags, block->header_range, "Duplicate provider block",
			"A provider for %s is already defined at %s.", name, before);
}

static void load_test_provider(struct test_file *file, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "alias", false },
		{ "version", false } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_body *rest = NULL;
	struct hcl_content content = plan_content(file->loader, block->body, &schema, &rest);

	refuse_second_provider(file, block, plan_constant_string(file->loader, &content, "alias"));
}

static void load_mock(struct test_file *file, const struct hcl_block *block, uint32_t parent)
{
	static const struct hcl_attribute_schema attributes[] = { { "defaults", false },
		{ "override_during", false } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(file->loader, block->body, &schema, NULL);
	struct zp_str type = block->labels[0];

	check_during(file, &content);
	zp_autofree char *key = zp_format("mock %u %s %.*s", parent, block->type, ZP_FMT(type));
	const char *before = seen_before(file, key, block->header_range);
	if (!before)
		return;
	zp_autofree char *summary = zp_format("Duplicate %s block", block->type);
	zp_diag_error(file->loader->diags, block->label_ranges[0], summary,
		"A %s block for %.*s has already been defined at %s.", block->type, ZP_FMT(type),
		before);
}

static void load_mock_provider(struct test_file *file, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "alias", false },
		{ "source", false }, { "override_during", false } };
	static const struct hcl_block_schema blocks[] = { { "mock_resource", type_label },
		{ "mock_data", type_label }, { "override_resource", NULL },
		{ "override_data", NULL } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), blocks,
		COUNT(blocks) };
	struct hcl_content content = plan_content(file->loader, block->body, &schema, NULL);
	uint32_t parent = block->header_range.start + 1;

	check_during(file, &content);
	for (size_t i = 0; i < content.block_count; i++)
		if (!load_if_override(file, content.blocks[i], parent))
			load_mock(file, content.blocks[i], parent);
	refuse_second_provider(file, block, plan_constant_string(file->loader, &content, "alias"));
}

/* ---- runs ---- */

static void load_plan_options(struct test_file *file, const struct hcl_block *block)
{
	static const char *const modes[] = { "normal", "refresh-only", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "mode", false },
		{ "refresh", false }, { "replace", false }, { "target", false } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(file->loader, block->body, &schema, NULL);
	struct hcl_attribute *refresh = hcl_content_attribute(&content, "refresh");
	const char *mode = keyword(file, &content, "mode", modes, "normal or refresh-only");

	if (!plan_constant_bool(file->loader, &content, "refresh", true) && mode == modes[1])
		zp_diag_error(file->loader->diags, refresh->range, "Incompatible plan options",
			"The \"refresh\" option cannot be set to false when running a test in "
			"\"refresh-only\" mode.");
	references(file, &content, "replace", any_reference);
	references(file, &content, "target", any_reference);
}

static void load_run_module(struct test_file *file, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "source", false },
		{ "version", false } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(file->loader, block->body, &schema, NULL);

	plan_constant_string(file->loader, &content, "version");
	if (plan_content_expr(&content, "source"))
		plan_constant_string(file->loader, &content, "source");
	else
		zp_diag_error(file->loader->diags, block->header_range,
			"Missing \"source\" attribute for module block",
			"You must specify a source attribute when executing alternate modules "
			"during "
			"test executions.");
}

static void load_passed_providers(struct test_file *file, const struct hcl_expr *map)
{
	struct hcl_object_item *items;
	size_t count;

	if (!map)
		return;
	if (!hcl_expr_pairs(map, file->loader->arena, &items, &count)) {
		zp_diag_error(file->loader->diags, map->range, "Invalid expression",
			"A static map expression is required.");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		plan_load_provider_ref(file->loader, items[i].key, "providers");
		plan_load_provider_ref(file->loader, items[i].value, "providers");
	}
}

static void load_run_block(struct test_file *file, const struct hcl_block *block, uint32_t parent)
{
	if (load_if_override(file, block, parent))
		return;
	if (strcmp(block->type, "assert") == 0) {
		plan_load_rule(file->loader, block);
		return;
	}
	if (strcmp(block->type, "variables") == 0) {
		load_variables(file, block, "run block", parent);
		return;
	}
	if (strcmp(block->type, "plan_options") == 0)
		load_plan_options(file, block);
	else
		load_run_module(file, block);
	refuse_second(file, block, "run block", parent);
}

static void load_run(struct test_file *file, const struct hcl_block *block)
{
	static const char *const commands[] = { "apply", "plan", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "command", false },
		{ "providers", false }, { "expect_failures", false }, { "state_key", false } };
	static const struct hcl_block_schema blocks[] = { { "plan_options", NULL },
		{ "assert", NULL }, { "variables", NULL }, { "module", NULL },
		{ "override_resource", NULL }, { "override_data", NULL },
		{ "override_module", NULL } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), blocks,
		COUNT(blocks) };
	struct plan_loader *loader = file->loader;
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);
	zp_autofree char *key = zp_format("run %.*s", ZP_FMT(block->labels[0]));
	const char *before = seen_before(file, key, block->header_range);

	plan_check_name(loader, block->labels[0], block->label_ranges[0], "Invalid run block name");
	for (size_t i = 0; i < content.block_count; i++)
		load_run_block(file, content.blocks[i], block->header_range.start + 1);
	keyword(file, &content, "command", commands, "apply or plan.");
	load_passed_providers(file, plan_content_expr(&content, "providers"));
	references(file, &content, "expect_failures", failing_reference);
	plan_constant_string(loader, &content, "state_key");
	if (before)
		zp_diag_error(loader->diags, block->header_range, "Duplicate \"run\" block names",
			"This test file already has a run named %.*s block defined at %s.",
			ZP_FMT(block->labels[0]), before);
}

/* ---- files ---- */

static void load_blocks(struct test_file *file, const struct hcl_body *body)
{
	static const struct hcl_block_schema blocks[] = { { "run", name_label },
		{ "variables", NULL }, { "provider", name_label }, { "mock_provider", name_label },
		{ "override_resource", NULL }, { "override_data", NULL },
		{ "override_module", NULL } };
	static const struct hcl_body_schema schema = { NULL, 0, blocks, COUNT(blocks) };
	struct hcl_content content = plan_content(file->loader, body, &schema, NULL);

	for (size_t i = 0; i < content.block_count; i++) {
		const struct hcl_block *block = content.blocks[i];
		if (load_if_override(file, block, 0))
			continue;
		if (strcmp(block->type, "run") == 0)
			load_run(file, block);
		else if (strcmp(block->type, "variables") == 0)
			load_variables(file, block, "test file", 0);
		else if (strcmp(block->type, "provider") == 0)
			load_test_provider(file, block);
		else
			load_mock_provider(file, block);
	}
}

void plan_load_test(struct plan_loader *loader, const struct hcl_body *body)
{
	struct test_file file = { .loader = loader };

	load_blocks(&file, body);
	for (size_t i = 0; i < file.overrides.count && !loader->diags->errors; i++) {
		const struct override *override = &file.overrides.items[i];
		if (target_exists(loader->module, override->target))
			continue;
		zp_diag_warning(loader->diags, override->range, "Invalid override target",
			"The override target %.*s does not exist within the configuration under "
			"test. "
			"This could indicate a typo in the target address or an unnecessary "
			"override.",
			ZP_FMT(zp_range_text(override->target->range)));
	}
	zp_vec_release(&file.overrides);
	zp_map_release(&file.seen);
}
