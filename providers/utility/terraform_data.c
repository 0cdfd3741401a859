/*
 * terraform_data: a place in the state for any value, and a handle for replacement. Nothing exists
 * outside the state.
 */
#include "providers/builtin.h"
#include "providers/utility/in_process.h"
#include "providers/utility/uuid.h"

static struct provider_attribute attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "input", .type = "any", .flags = PROVIDER_OPTIONAL },
	{ .name = "output", .type = "any", .flags = PROVIDER_COMPUTED },
	{ .name = "triggers_replace",
		.type = "any",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW },
};

static struct provider_schema schema = {
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

/*
 * output follows input: unknown on create and whenever input changes, but a null input of a new
 * object has a null output at once.
 */
static void plan_output(struct provider_plan *plan)
{
	if (plan->planned.state != HCL_KNOWN)
		return;
	struct hcl_value input = provider_get(plan->planned, "input");
	bool fresh = plan->prior.state != HCL_KNOWN || plan->replace_count;
	if (!fresh && hcl_value_identical(provider_get(plan->prior, "input"), input))
		return;
	struct provider_builder builder;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "output",
		fresh && input.state == HCL_NULL ? input : hcl_unknown(input.type));
	plan->planned = provider_built(&builder);
}

static void fill(struct provider_operation *op, struct provider_builder *builder)
{
	if (!provider_has(op->planned, "id"))
		provider_build_set(builder, "id", provider_identity_or_uuid(op));
	if (provider_get(op->planned, "output").state == HCL_UNKNOWN)
		provider_build_set(builder, "output", provider_get(op->planned, "input"));
}

static void adopt(struct provider_operation *op, struct provider_builder *builder)
{
	utility_set_text(builder, "id", op->import_id);
}

static const struct utility_kind kind = {
	.create = fill,
	.update = fill,
	.import = adopt,
};

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	(void)instance;
	utility_run(&kind, ops, count);
}

const struct provider_resource_type provider_terraform_data = {
	.name = "terraform_data",
	.schema = &schema,
	.identity_attribute = "id",
	.in_process = true,
	.batch_key = utility_together,
	.plan = plan_output,
	.run = run,
};
