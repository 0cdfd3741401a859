/* Configuration for what is imported and has none yet: plan -generate-config-out. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/format.h"
#include "planner/engine.h"

struct generating {
	struct plan *plan;
	struct plan_generated **made;
	size_t *count;
	bool ok;
};

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct provider_attribute *const *)a)->name,
		(*(const struct provider_attribute *const *)b)->name);
}

static void body_text(const struct provider_schema *schema, struct hcl_value object, struct zp_buf *out);

static void blocks_text(const struct provider_schema *schema, struct hcl_value object, struct zp_buf *out)
{
	for (size_t i = 0; i < schema->block_count; i++) {
		struct hcl_value value = object.elements[schema->block_slots[i]];
		bool one = value.type->kind == HCL_OBJECT;
		for (uint32_t k = 0; value.state == HCL_KNOWN && k < (one ? 1 : value.count); k++) {
			zp_buf_printf(out, "%s {\n", schema->blocks[i].name);
			body_text(schema->blocks[i].schema, one ? value :
				value.type->kind == HCL_MAP ? value.entries[k].value : value.elements[k], out);
			zp_buf_puts(out, "}\n");
		}
	}
}

/* What a configuration can say of the object: secrets are left for people to fill in. */
static void body_text(const struct provider_schema *schema, struct hcl_value object, struct zp_buf *out)
{
	zp_autofree const struct provider_attribute **sorted =
		zp_calloc(schema->attribute_count + 1, sizeof(*sorted));

	for (size_t i = 0; i < schema->attribute_count; i++)
		sorted[i] = &schema->attributes[i];
	qsort(sorted, schema->attribute_count, sizeof(struct provider_attribute *), by_name);
	for (size_t i = 0; i < schema->attribute_count; i++) {
		const struct provider_attribute *attribute = sorted[i];
		if (!(attribute->flags & (PROVIDER_REQUIRED | PROVIDER_OPTIONAL)) ||
			attribute->flags & PROVIDER_DEPRECATED)
			continue;
		zp_buf_printf(out, "%s = ", attribute->name);
		if (attribute->flags & PROVIDER_SENSITIVE)
			zp_buf_puts(out, "null # sensitive");
		else
			hcl_value_to_config(out,
				object.elements[schema->attribute_slots[attribute - schema->attributes]]);
		zp_buf_char(out, '\n');
	}
	blocks_text(schema, object, out);
}

static char *laid_out(const struct zp_buf *text)
{
	struct zp_source *source = zp_source_new("<generated>", zp_buf_slice(text));
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_diags ignored;

	zp_diags_init(&ignored);
	if (!hcl_format(source, &out, &ignored))
		zp_buf_str(&out, zp_buf_slice(text));
	zp_diags_release(&ignored);
	zp_source_free(source);
	return zp_buf_steal(&out);
}

static void refuse(struct generating *generating, const struct plan_import *block, const char *why)
{
	zp_diag_error(generating->plan->diags, block->to->range,
		"Configuration for import target does not exist", "%s", why);
	generating->ok = false;
}

/* The type and name of `to`, where it is a plain resource of the root module. */
static bool read_target(struct generating *generating, const struct plan_import *block, const char **type,
	const char **name)
{
	const struct hcl_expr *to = block->to;
	const char *root = to->kind == HCL_EXPR_TRAVERSAL ? to->traversal.root : NULL;
	bool keyed = !root || block->for_each;

	for (uint32_t i = 0; root && i < to->traversal.count; i++)
		keyed |= !to->traversal.steps[i].name;
	if (root && strcmp(root, "module") == 0)
		refuse(generating, block, "Only resources within the root module are eligible for config "
			"generation.");
	else if (keyed || to->traversal.count != 1)
		refuse(generating, block, "The given import block is not compatible with config generation. "
			"The -generate-config-out option cannot be used with import blocks which use "
			"for_each, or resources which use for_each or count.");
	else
		*type = root, *name = to->traversal.steps[0].name;
	return generating->ok;
}

static void generate(struct generating *generating, const struct plan_import *block, const char *type,
	const char *name)
{
	struct plan *plan = generating->plan;
	const struct provider *provider = provider_for_type(type);
	const struct provider_resource_type *known = provider ? provider_resource(provider, type, false) : NULL;
	zp_autofree char *address = zp_format("%s.%s", type, name);
	struct hcl_value object;

	if (!known) {
		refuse(generating, block, "There is no resource type of that name.");
		return;
	}
	const char *id = plan_import_for_config(plan, block, known, address, &object);
	if (!id) {
		generating->ok = false;
		return;
	}
	zp_autobuf text = ZP_BUF_INIT;
	zp_buf_printf(&text, "resource \"%s\" \"%s\" {\n", type, name);
	body_text(known->schema, object, &text);
	zp_buf_puts(&text, "}\n");
	*generating->made = zp_reallocarray(*generating->made, *generating->count + 1,
		sizeof(**generating->made));
	(*generating->made)[(*generating->count)++] = (struct plan_generated){ zp_strdup(address),
		zp_strdup(id), laid_out(&text) };
}

static void run(void *data)
{
	struct generating *generating = data;
	const struct plan_module *root = generating->plan->config->root;

	for (size_t i = 0; i < root->import_count; i++) {
		const struct plan_import *block = &root->imports[i];
		const char *type = NULL, *name = NULL;
		size_t errors = generating->plan->diags->errors;
		if (plan_import_has_config(generating->plan, block))
			continue;
		if (read_target(generating, block, &type, &name))
			generate(generating, block, type, name);
		generating->ok = generating->plan->diags->errors == 0 || generating->plan->diags->errors == errors;
	}
}

bool plan_generate(struct plan *plan, struct plan_generated **made, size_t *count, struct zp_diags *diags)
{
	struct generating generating = { .plan = plan, .made = made, .count = count, .ok = true };

	*made = NULL;
	*count = 0;
	plan->diags = diags;
	zp_call_with_deep_stack(run, &generating);
	return !diags->errors;
}

void plan_generated_free(struct plan_generated *made, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(made[i].address);
		free(made[i].id);
		free(made[i].text);
	}
	free(made);
}
