/* Blocks about what exists already: moved, removed, import. */
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An address: read, not evaluated. */
static struct hcl_expr *place(struct plan_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct hcl_expr *expr = plan_content_expr(content, name);

	return expr ? plan_static(loader, expr) : NULL;
}

void plan_load_moved(struct plan_loader *loader, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "from", true }, { "to", true } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);
	struct plan_moved moved = { place(loader, &content, "from"), place(loader, &content, "to"),
		block->header_range };

	if (moved.from && moved.to)
		zp_vec_push(&loader->moved, moved);
}

/* What is removed is removed whole. */
static bool has_no_key(struct plan_loader *loader, const struct hcl_expr *from)
{
	for (size_t i = 0; from->kind == HCL_EXPR_TRAVERSAL && i < from->traversal.count; i++) {
		if (from->traversal.steps[i].name)
			continue;
		bool module = strcmp(from->traversal.root, "module") == 0 && i == 1;
		zp_diag_error(loader->diags, from->range, module ? "Module instance keys not allowed" :
			"Resource instance keys not allowed", module ?
			"Module address must be a module (e.g. \"module.foo\"), not a module instance "
			"(e.g. \"module.foo[1]\")." :
			"Resource address must be a resource (e.g. \"test_instance.foo\"), not a "
			"resource instance (e.g. \"test_instance.foo[1]\").");
		return false;
	}
	return true;
}

void plan_load_removed(struct plan_loader *loader, const struct hcl_block *block)
{
	static const char *const one_label[] = { "type", NULL };
	static const struct hcl_attribute_schema attributes[] = { { "from", true } };
	static const struct hcl_block_schema blocks[] = { { "lifecycle", NULL },
		{ "connection", NULL }, { "provisioner", one_label } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), blocks,
		COUNT(blocks) };
	static const struct hcl_attribute_schema lifecycle_attributes[] = { { "destroy", false } };
	static const struct hcl_body_schema lifecycle = { lifecycle_attributes, 1, NULL, 0 };
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);
	struct plan_removed removed = { .from = place(loader, &content, "from"),
		.destroy = true, .range = block->header_range };
	struct plan_provisioner_vec provisioners = { 0 };

	for (size_t i = 0; i < content.block_count; i++) {
		const struct hcl_block *inner = content.blocks[i];
		if (strcmp(inner->type, "lifecycle") == 0) {
			struct hcl_content settings = plan_content(loader, inner->body, &lifecycle, NULL);
			removed.destroy = plan_constant_bool(loader, &settings, "destroy", true);
		} else if (strcmp(inner->type, "provisioner") == 0) {
			struct plan_provisioner provisioner = plan_load_provisioner(loader, inner);
			zp_vec_push(&provisioners, provisioner);
		}
	}
	removed.provisioners = zp_vec_to_arena(&provisioners, loader->arena);
	removed.provisioner_count = provisioners.count;
	zp_vec_release(&provisioners);
	if (removed.from && has_no_key(loader, removed.from))
		zp_vec_push(&loader->removed, removed);
}

void plan_load_import(struct plan_loader *loader, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "to", true }, { "id", false },
		{ "identity", false }, { "for_each", false }, { "provider", false } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);
	struct plan_import import = { .to = place(loader, &content, "to"),
		.id = plan_content_expr(&content, "id"),
		.for_each = plan_content_expr(&content, "for_each"),
		.range = block->header_range };
	struct hcl_expr *provider = plan_content_expr(&content, "provider");

	if (provider)
		import.provider = plan_load_provider_ref(loader, provider, "provider");
	if (import.to && import.id)
		zp_vec_push(&loader->imports, import);
	else if (import.to)
		zp_diag_error(loader->diags, block->body->end_range, "Missing required argument",
			"The argument \"id\" is required, but no definition was found.");
}
