/* Blocks that make things: resource, data, module, and what stands inside them. */
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const one_label[] = { "type", NULL };
static const struct hcl_attribute_schema resource_attributes[] = {
	{ "count", false }, { "for_each", false }, { "provider", false }, { "depends_on", false },
};
static const struct hcl_block_schema resource_blocks[] = {
	{ "locals", NULL },
	{ "lifecycle", NULL },
	{ "connection", NULL },
	{ "provisioner", one_label },
	{ "_", NULL },
};
static const struct hcl_body_schema resource_schema = { resource_attributes,
	COUNT(resource_attributes), resource_blocks, COUNT(resource_blocks) };

static const struct hcl_attribute_schema lifecycle_attributes[] = {
	{ "create_before_destroy", false },
	{ "prevent_destroy", false },
	{ "ignore_changes", false },
	{ "replace_triggered_by", false },
};
static const struct hcl_block_schema lifecycle_blocks[] = { { "precondition", NULL },
	{ "postcondition", NULL } };
static const struct hcl_body_schema lifecycle_schema = { lifecycle_attributes,
	COUNT(lifecycle_attributes), lifecycle_blocks, COUNT(lifecycle_blocks) };

/* A traversal relative to the resource as a path; a quoted name is accepted, as in old files. */
static bool ignored_path(struct plan_loader *loader, const struct hcl_expr *expr,
	struct hcl_path *path)
{
	const char *keyword = hcl_expr_keyword(expr);

	if (expr->kind == HCL_EXPR_LITERAL && expr->literal.type == hcl_string) {
		path->steps = zp_new_array(loader->arena, struct hcl_step, 1);
		path->steps[0].name = zp_intern(hcl_text(expr->literal));
		path->count = 1;
		plan_warn_quoted(loader, expr, "reference");
		return true;
	}
	if (!keyword && expr->kind != HCL_EXPR_TRAVERSAL) {
		zp_diag_error(loader->diags, expr->range, "Invalid expression",
			"A single static variable reference is required: only attribute access "
			"and indexing with constant keys. No calculations, function calls, "
			"template expressions, etc are allowed here.");
		return false;
	}
	path->count = expr->traversal.count + 1;
	path->steps = zp_new_array(loader->arena, struct hcl_step, path->count);
	path->steps[0].name = expr->traversal.root;
	for (size_t i = 0; i < expr->traversal.count; i++) {
		path->steps[i + 1].name = expr->traversal.steps[i].name;
		path->steps[i + 1].key = expr->traversal.steps[i].key;
	}
	return true;
}

static void load_ignore_changes(struct plan_loader *loader, struct plan_lifecycle *lifecycle,
	struct hcl_expr *expr)
{
	const char *keyword = hcl_expr_keyword(plan_static(loader, expr));
	struct plan_path_vec paths = { 0 };
	struct hcl_expr **items;
	size_t count;

	if (keyword && strcmp(keyword, "all") == 0) {
		lifecycle->ignore_all = true;
		return;
	}
	if (!plan_static_list(loader, expr, &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct hcl_path path = { 0 };
		if (ignored_path(loader, items[i], &path))
			zp_vec_push(&paths, path);
	}
	lifecycle->ignore_changes = zp_vec_to_arena(&paths, loader->arena);
	lifecycle->ignore_count = paths.count;
	zp_vec_release(&paths);
}

static void load_triggers(struct plan_loader *loader, struct plan_lifecycle *lifecycle,
	struct hcl_expr *expr)
{
	plan_static_list(loader, expr, &lifecycle->replace_triggered_by,
		&lifecycle->replace_triggered_count);
}

static void load_conditions(struct plan_loader *loader, struct plan_lifecycle *lifecycle,
	const struct hcl_content *content)
{
	struct plan_rule_vec before = { 0 }, after = { 0 };

	for (size_t i = 0; i < content->block_count; i++) {
		struct plan_check_rule rule = plan_load_rule(loader, content->blocks[i]);
		if (!rule.condition || !rule.error_message)
			continue;
		if (strcmp(content->blocks[i]->type, "precondition") == 0)
			zp_vec_push(&before, rule);
		else
			zp_vec_push(&after, rule);
	}
	lifecycle->preconditions = zp_vec_to_arena(&before, loader->arena);
	lifecycle->precondition_count = before.count;
	lifecycle->postconditions = zp_vec_to_arena(&after, loader->arena);
	lifecycle->postcondition_count = after.count;
	zp_vec_release(&before);
	zp_vec_release(&after);
}

static void load_lifecycle(struct plan_loader *loader, struct plan_resource *resource,
	const struct hcl_block *block)
{
	struct plan_lifecycle *lifecycle = &resource->lifecycle;
	struct hcl_content content = plan_content(loader, block->body, &lifecycle_schema, NULL);
	static const char *const managed_only[] = { "create_before_destroy", "prevent_destroy",
		"ignore_changes", "replace_triggered_by" };

	for (size_t i = 0; resource->mode != PLAN_MANAGED && i < COUNT(managed_only); i++) {
		struct hcl_attribute *attribute = hcl_content_attribute(&content, managed_only[i]);
		if (attribute)
			zp_diag_error(loader->diags, hcl_attribute_name_range(attribute),
				"Invalid data resource lifecycle argument",
				"The lifecycle argument \"%s\" is defined only for managed resources "
				"(\"resource\" blocks), and is not valid for data resources.",
				managed_only[i]);
	}
	lifecycle->has_create_before_destroy =
		plan_content_expr(&content, "create_before_destroy") != NULL;
	lifecycle->create_before_destroy =
		plan_constant_bool(loader, &content, "create_before_destroy", false);
	lifecycle->prevent_destroy = plan_constant_bool(loader, &content, "prevent_destroy", false);
	struct hcl_expr *expr = plan_content_expr(&content, "prevent_destroy");
	if (expr)
		lifecycle->prevent_destroy_range = expr->range;
	if ((expr = plan_content_expr(&content, "ignore_changes")))
		load_ignore_changes(loader, lifecycle, expr);
	if ((expr = plan_content_expr(&content, "replace_triggered_by")))
		load_triggers(loader, lifecycle, expr);
	load_conditions(loader, lifecycle, &content);
}

/* What will be gone by then, or may be going at the same time, can not be asked for. */
static void check_destroy_reference(void *data, const struct hcl_expr *traversal)
{
	struct plan_loader *loader = data;
	const char *root = traversal->traversal.root;
	const char *step = traversal->traversal.count ? traversal->traversal.steps[0].name : NULL;

	if (strcmp(root, "self") == 0 || (step && strcmp(root, "count") == 0) ||
		(step && strcmp(root, "each") == 0 && strcmp(step, "key") == 0) ||
		strcmp(root, "path") == 0 || strcmp(root, "terraform") == 0)
		return;
	zp_diag_error(loader->diags, traversal->range, "Invalid reference from destroy provisioner",
		"Destroy-time provisioners and their connection configurations may only reference "
		"attributes of the related resource, via 'self', 'count.index', or 'each.key'.\n\n"
		"References to other resources during the destroy phase can cause dependency cycles "
		"and interact poorly with create_before_destroy.");
}

static void check_destroy_expression(void *data, const struct hcl_expr *expr)
{
	if (expr)
		hcl_expr_references(expr, check_destroy_reference, data);
}

static void check_destroy_body(struct plan_loader *loader, const struct hcl_body *body)
{
	if (body)
		plan_body_expressions(body, loader->arena, check_destroy_expression, loader);
}

struct plan_provisioner plan_load_provisioner(struct plan_loader *loader,
	const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "when", false },
		{ "on_failure", false } };
	static const struct hcl_block_schema blocks[] = { { "connection", NULL } };
	static const struct hcl_body_schema schema = { attributes, 2, blocks, 1 };
	struct plan_provisioner provisioner = { .type = zp_intern(block->labels[0]),
		.range = block->open_range };
	struct hcl_content content = plan_content(loader, block->body, &schema, &provisioner.body);
	struct hcl_expr *when = plan_content_expr(&content, "when");
	struct hcl_expr *failure = plan_content_expr(&content, "on_failure");
	const char *keyword = when ? hcl_expr_keyword(plan_unquoted(loader, when, "keyword")) : "create";

	if (keyword && strcmp(keyword, "destroy") == 0)
		provisioner.when_destroy = true;
	else if (!keyword || strcmp(keyword, "create") != 0)
		zp_diag_error(loader->diags, when->range, "Invalid \"when\" keyword",
			"The \"when\" argument requires one of the following keywords: create or "
			"destroy.");
	keyword = failure ? hcl_expr_keyword(plan_unquoted(loader, failure, "keyword")) : "fail";
	if (keyword && strcmp(keyword, "continue") == 0)
		provisioner.on_failure_continue = true;
	else if (!keyword || strcmp(keyword, "fail") != 0)
		zp_diag_error(loader->diags, failure->range, "Invalid \"on_failure\" keyword",
			"The \"on_failure\" argument requires one of the following keywords: "
			"continue or fail.");
	if (content.block_count)
		provisioner.connection = content.blocks[0]->body;
	if (provisioner.when_destroy) {
		check_destroy_body(loader, provisioner.body);
		check_destroy_body(loader, provisioner.connection);
	}
	return provisioner;
}

static void load_inner_blocks(struct plan_loader *loader, struct plan_resource *resource,
	const struct hcl_content *content)
{
	struct plan_provisioner_vec provisioners = { 0 };
	const struct hcl_block *lifecycle = NULL;

	for (size_t i = 0; i < content->block_count; i++) {
		const struct hcl_block *block = content->blocks[i];
		if (strcmp(block->type, "connection") == 0) {
			resource->connection = block->body;
		} else if (strcmp(block->type, "provisioner") == 0) {
			struct plan_provisioner provisioner = plan_load_provisioner(loader, block);
			zp_vec_push(&provisioners, provisioner);
		} else if (strcmp(block->type, "lifecycle") == 0 && lifecycle) {
			zp_diag_error(loader->diags, block->header_range, "Duplicate lifecycle block",
				"This resource already has a lifecycle block at %s.",
				plan_range_text(loader->arena, lifecycle->header_range));
		} else if (strcmp(block->type, "lifecycle") == 0) {
			lifecycle = block;
			load_lifecycle(loader, resource, block);
		} else {
			zp_diag_error(loader->diags, block->type_range,
				"Reserved block type name in resource block",
				"The block type name \"%s\" is reserved for use by Terraform in a "
				"future version.", block->type);
		}
	}
	resource->provisioners = zp_vec_to_arena(&provisioners, loader->arena);
	resource->provisioner_count = provisioners.count;
	for (size_t i = 0; i < provisioners.count && resource->connection; i++) {
		if (!resource->provisioners[i].when_destroy)
			continue;
		check_destroy_body(loader, resource->connection);
		break;
	}
	zp_vec_release(&provisioners);
}

static void report_repetition(struct plan_loader *loader, const struct hcl_content *content)
{
	struct hcl_attribute *for_each = hcl_content_attribute(content, "for_each");

	if (for_each && hcl_content_attribute(content, "count"))
		zp_diag_error(loader->diags, hcl_attribute_name_range(for_each),
			"Invalid combination of \"count\" and \"for_each\"",
			"The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only "
			"one should be used to be explicit about the number of resources to be "
			"created.");
}

/* Under its address in the module's map; the block's own kind of duplicate message. */
static bool declare_resource(struct plan_loader *loader, struct plan_resource *resource)
{
	void **slot = zp_map_slot(&loader->module->resource_map, zp_str(resource->address));
	const char *kind = resource->mode == PLAN_DATA ? "data source" : "resource";

	if (!*slot) {
		*slot = resource;
		resource->index = (uint32_t)loader->resources.count;
		zp_vec_push(&loader->resources, resource);
		return true;
	}
	zp_autofree char *summary = zp_format("Duplicate %s \"%s\" configuration",
		resource->mode == PLAN_DATA ? "data" : kind, resource->type);
	zp_diag_error(loader->diags, resource->range, summary,
		"A %s %s named \"%s\" was already declared at %s. Resource names must be unique per "
		"type in each module.", resource->type, resource->mode == PLAN_DATA ? "data resource" : kind,
		resource->name,
		plan_range_text(loader->arena, ((struct plan_resource *)*slot)->range));
	return false;
}

void plan_load_resource(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_resource *resource = zp_new(loader->arena, struct plan_resource);
	struct hcl_content content =
		plan_content(loader, block->body, &resource_schema, &resource->body);
	bool data = strcmp(block->type, "data") == 0;

	if (strcmp(block->type, "ephemeral") == 0)
		resource->mode = PLAN_EPHEMERAL;
	else
		resource->mode = data ? PLAN_DATA : PLAN_MANAGED;
	const char *what = data ? "Invalid data source name" : "Invalid resource name";
	plan_check_name(loader, block->labels[0], block->label_ranges[0], "Invalid resource type name");
	plan_check_name(loader, block->labels[1], block->label_ranges[1], what);
	resource->type = zp_intern(block->labels[0]);
	resource->name = zp_intern(block->labels[1]);
	resource->range = block->header_range;
	resource->address = zp_arena_format(loader->arena, "%s%s.%s",
		data				       ? "data." :
			resource->mode == PLAN_EPHEMERAL ? "ephemeral." :
							   "",
		resource->type, resource->name);
	resource->count = plan_content_expr(&content, "count");
	resource->for_each = plan_content_expr(&content, "for_each");
	report_repetition(loader, &content);
	struct hcl_expr *provider = plan_content_expr(&content, "provider");
	if (provider)
		resource->provider_ref = plan_load_provider_ref(loader, provider, "provider");
	resource->depends_on = plan_depends_on(loader, &content, &resource->depends_on_count);
	load_inner_blocks(loader, resource, &content);
	declare_resource(loader, resource);
}

static const struct hcl_attribute_schema call_attributes[] = {
	{ "source", true },   { "version", false },    { "count", false },
	{ "for_each", false }, { "depends_on", false }, { "providers", false },
};
static const struct hcl_block_schema call_blocks[] = { { "_", NULL }, { "lifecycle", NULL },
	{ "locals", NULL }, { "provider", one_label } };
static const struct hcl_body_schema call_schema = { call_attributes, COUNT(call_attributes),
	call_blocks, COUNT(call_blocks) };

static void load_passed_providers(struct plan_loader *loader, struct plan_call *call,
	const struct hcl_expr *expr)
{
	struct hcl_object_item *items;
	size_t count;

	if (!hcl_expr_pairs(expr, loader->arena, &items, &count)) {
		zp_diag_error(loader->diags, expr->range, "Invalid expression",
			"A static map expression is required.");
		return;
	}
	call->providers = zp_arena_calloc(loader->arena, count, sizeof(*call->providers));
	for (size_t i = 0; i < count; i++) {
		call->providers[i].inner = plan_load_provider_ref(loader, items[i].key, "providers");
		call->providers[i].outer = plan_load_provider_ref(loader, items[i].value, "providers");
	}
	call->provider_count = count;
}

void plan_load_call(struct plan_loader *loader, const struct hcl_block *block)
{
	struct plan_call *call = zp_new(loader->arena, struct plan_call);
	struct hcl_content content = plan_content(loader, block->body, &call_schema, &call->body);
	struct hcl_attribute *source = hcl_content_attribute(&content, "source");
	struct hcl_expr *providers = plan_content_expr(&content, "providers");

	plan_check_name(loader, block->labels[0], block->label_ranges[0], "Invalid module instance name");
	for (size_t i = 0; i < content.block_count; i++)
		zp_diag_error(loader->diags, content.blocks[i]->type_range,
			"Reserved block type name in module block",
			"The block type name \"%s\" is reserved for use by Terraform in a future "
			"version.", content.blocks[i]->type);
	call->name = zp_intern(block->labels[0]);
	call->range = block->header_range;
	call->source = plan_constant_string(loader, &content, "source");
	call->source_range = source ? source->expr->range : block->header_range;
	call->version = plan_constant_string(loader, &content, "version");
	call->count = plan_content_expr(&content, "count");
	call->for_each = plan_content_expr(&content, "for_each");
	report_repetition(loader, &content);
	call->depends_on = plan_depends_on(loader, &content, &call->depends_on_count);
	if (providers)
		load_passed_providers(loader, call, providers);

	void **slot = zp_map_slot(&loader->module->call_map, zp_str(call->name));
	if (*slot) {
		zp_diag_error(loader->diags, block->header_range, "Duplicate module call",
			"A module call named \"%s\" was already defined at %s. Module calls must "
			"have unique names within a module.", call->name,
			plan_range_text(loader->arena, ((struct plan_call *)*slot)->range));
		return;
	}
	*slot = call;
	call->index = (uint32_t)loader->calls.count;
	zp_vec_push(&loader->calls, call);
}
