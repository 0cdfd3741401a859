/* Blocks about what exists already: moved, removed, import. */
#include "base/alloc.h"
#include "hcl-lite/codec.h"
#include "planner/config_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An address: read, not evaluated. */
static struct hcl_expr *place(struct plan_loader *loader, const struct hcl_content *content,
	const char *name)
{
	struct hcl_expr *expr = plan_content_expr(content, name);

	return expr ? plan_static(loader, expr) : NULL;
}

/* module.a[0].module.b: whether the address ends with a module. */
static bool is_module(const struct hcl_expr *address)
{
	const struct hcl_expr *a = address;
	const char *word = a->kind == HCL_EXPR_TRAVERSAL ? a->traversal.root : "";
	uint32_t i = 0;

	while (strcmp(word, "module") == 0) {
		i++; /* its name */
		if (i < a->traversal.count && !a->traversal.steps[i].name)
			i++;
		if (i >= a->traversal.count)
			return true;
		word = a->traversal.steps[i++].name;
	}
	return false;
}

static bool is_data(const struct hcl_expr *address)
{
	return address->kind == HCL_EXPR_TRAVERSAL && strcmp(address->traversal.root, "data") == 0;
}

void plan_load_moved(struct plan_loader *loader, const struct hcl_block *block)
{
	static const struct hcl_attribute_schema attributes[] = { { "from", true }, { "to", true } };
	static const struct hcl_body_schema schema = { attributes, COUNT(attributes), NULL, 0 };
	struct hcl_content content = plan_content(loader, block->body, &schema, NULL);
	struct plan_moved moved = { place(loader, &content, "from"), place(loader, &content, "to"),
		block->header_range };

	if (!moved.from || !moved.to)
		return;
	if (is_module(moved.from) == is_module(moved.to))
		zp_vec_push(&loader->moved, moved);
	else
		zp_diag_error(loader->diags, moved.range, "Invalid \"moved\" addresses",
			"The \"from\" and \"to\" addresses must either both refer to resources or both "
			"refer to modules.");
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
		} else if (strcmp(inner->type, "connection") == 0) {
			removed.connection = inner->body;
		} else if (strcmp(inner->type, "provisioner") == 0) {
			struct plan_provisioner provisioner = plan_load_provisioner(loader, inner);
			if (!provisioner.when_destroy)
				zp_diag_error(loader->diags, inner->header_range,
					"Invalid provisioner block",
					"Only destroy-time provisioners are valid in \"removed\" blocks. "
					"To declare a destroy-time provisioner, use:\n    when = destroy");
			zp_vec_push(&provisioners, provisioner);
		}
	}
	removed.provisioners = zp_vec_to_arena(&provisioners, loader->arena);
	removed.provisioner_count = provisioners.count;
	zp_vec_release(&provisioners);
	if (removed.from && is_data(removed.from))
		zp_diag_error(loader->diags, removed.from->range, "Data source address not allowed",
			"Data sources are never destroyed, so they are not valid targets of removed "
			"blocks. To remove the data source from state, remove the data source block from "
			"configuration.");
	else if (removed.from && has_no_key(loader, removed.from))
		zp_vec_push(&loader->removed, removed);
}

/* As text, where no key of it is an expression; heap, or NULL. */
static char *address_text(const struct hcl_expr *address)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (address->kind != HCL_EXPR_TRAVERSAL)
		return NULL;
	zp_buf_puts(&text, address->traversal.root);
	for (uint32_t i = 0; i < address->traversal.count; i++) {
		const struct hcl_traverse *step = &address->traversal.steps[i];
		if (step->name) {
			zp_buf_printf(&text, ".%s", step->name);
			continue;
		}
		zp_buf_char(&text, '[');
		if (step->key.type == hcl_string)
			hcl_quote(&text, hcl_text(step->key));
		else
			hcl_number_text(step->key, &text);
		zp_buf_char(&text, ']');
	}
	return zp_buf_steal(&text);
}

/* False after a diagnostic: this is no target, or another block has it. */
static bool check_import(struct plan_loader *loader, const struct plan_import *import)
{
	zp_autofree char *own = address_text(import->to);
	const struct plan_module *module = loader->module;

	if (module->call) {
		zp_autobuf text = ZP_BUF_INIT;
		for (const char *p = module->path; *p; p += strcspn(p, "."), p += *p == '.')
			zp_buf_printf(&text, "%smodule.%.*s", text.len ? "." : "", (int)strcspn(p, "."), p);
		zp_diag_error(loader->diags, import->range, "Invalid import configuration",
			"An import block was detected in \"%s\". Import blocks are only allowed in the "
			"root module.", text.ptr);
		return false;
	}
	if (is_data(import->to)) {
		zp_diag_error(loader->diags, import->to->range, "Invalid import address",
			"Only managed resources can be imported.");
		return false;
	}
	for (size_t i = 0; own && !import->for_each && i < loader->imports.count; i++) {
		const struct plan_import *other = &loader->imports.items[i];
		zp_autofree char *text = other->for_each ? NULL : address_text(other->to);
		if (!text || strcmp(text, own) != 0)
			continue;
		zp_autofree char *summary = zp_format("Duplicate import configuration for \"%s\"", own);
		zp_diag_error(loader->diags, import->to->range, zp_arena_strdup(loader->arena, summary),
			"An import block for the resource \"%s\" was already declared at %s. A resource "
			"can have only one import block.", own, plan_range_text(loader->arena, other->range));
		return false;
	}
	return true;
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
	if (import.to && import.id && check_import(loader, &import))
		zp_vec_push(&loader->imports, import);
	else if (import.to && !import.id)
		zp_diag_error(loader->diags, block->body->end_range, "Missing required argument",
			"The argument \"id\" is required, but no definition was found.");
}
