/* Ephemeral values are never stored: only write-only attributes of resources take them. */
#include "planner/engine.h"

ZP_VEC(step_vec, struct hcl_step);

struct walk {
	struct plan *plan;
	const struct plan_instance *instance;
	struct step_vec path;
};

static void report(const struct walk *walk)
{
	const struct plan_resource *resource = walk->instance->resource->config;
	struct hcl_path path = { walk->path.items, walk->path.count };
	zp_autobuf text = ZP_BUF_INIT;

	hcl_path_text(&path, &text);
	struct zp_diag *diag = zp_diag_error(walk->plan->diags, plan_path_range(resource->body, &path),
		"Invalid use of ephemeral value",
		"Ephemeral values are not valid for \"%s\", because it is not a write-only attribute "
		"and must be persisted to state.", text.len && *text.ptr == '.' ? text.ptr + 1 : text.ptr);
	zp_diag_about(walk->plan->diags, diag, walk->instance->address);
}

/* Values nest no deeper than expressions do. */
static void find(struct walk *walk, struct hcl_value value)
{
	if (!(value.inside & HCL_EPHEMERAL))
		return;
	if (value.marks & HCL_EPHEMERAL) {
		report(walk);
		return;
	}
	for (uint32_t i = 0; i < value.count; i++) {
		struct hcl_step step = { 0 };
		if (value.type->kind == HCL_OBJECT)
			step.name = value.type->attributes[i].name;
		else if (value.type->kind == HCL_MAP)
			step.key = hcl_string_value(&walk->plan->arena, value.entries[i].key);
		else
			step.key = hcl_int_value(i);
		zp_vec_push(&walk->path, step);
		find(walk, value.type->kind == HCL_MAP ? value.entries[i].value : value.elements[i]);
		walk->path.count--;
	}
}

static bool is_write_only(const struct provider_schema *schema, const char *name)
{
	const struct provider_attribute *attribute = provider_schema_attribute(schema, name);

	return attribute && attribute->flags & PROVIDER_WRITE_ONLY;
}

void plan_forbid_ephemeral(struct plan *plan, const struct plan_instance *instance,
	struct hcl_value config)
{
	const struct provider_schema *schema = instance->resource->config->resource_type->schema;
	struct walk walk = { .plan = plan, .instance = instance };

	if (config.state != HCL_KNOWN || !(config.inside & HCL_EPHEMERAL))
		return;
	for (uint32_t i = 0; i < config.count; i++) {
		struct hcl_step step = { .name = config.type->attributes[i].name };
		if (is_write_only(schema, step.name))
			continue;
		zp_vec_push(&walk.path, step);
		find(&walk, config.elements[i]);
		walk.path.count--;
	}
	zp_vec_release(&walk.path);
}
