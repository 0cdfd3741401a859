/*
 * terraform_remote_state: the outputs another configuration's state has. Reading states is not a provider's
 * business; the run does it (provider_environment).
 */
#include "providers/builtin.h"
#include "providers/values.h"

static struct provider_attribute attributes[] = {
	{ .name = "backend",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Kind of the backend that keeps the state." },
	{ .name = "workspace",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "Workspace whose state it is; \"default\" when left out." },
	{ .name = "config",
		.type = "any",
		.flags = PROVIDER_OPTIONAL,
		.description = "The backend's settings, as an object." },
	{ .name = "defaults",
		.type = "any",
		.flags = PROVIDER_OPTIONAL,
		.description = "Values of outputs the state does not have." },
	{ .name = "outputs",
		.type = "any",
		.flags = PROVIDER_COMPUTED,
		.description = "The root module's outputs, as an object." },
};

static struct provider_schema schema = {
	.description = "Outputs of another configuration, read from its state.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void read_one(struct provider_instance *instance, struct provider_operation *op)
{
	const struct provider_environment *environment = instance->environment;
	struct provider_builder builder;
	struct hcl_value outputs = hcl_null(hcl_dynamic);

	op->result = provider_schema_null(op->type->schema);
	if (!environment->read_outputs) {
		provider_error(&op->problems, NULL, "Unable to read remote state",
			"This run has no way to read states.");
		return;
	}
	if (!environment->read_outputs(environment, op->config, op->arena, &outputs, &op->problems))
		return;
	provider_build(&builder, op->arena, op->type->schema, op->config);
	provider_build_set(&builder, "outputs", outputs);
	op->result = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_one(instance, ops[i]);
}

const struct provider_resource_type provider_terraform_remote_state = {
	.name = "terraform_remote_state",
	.schema = &schema,
	.run = run,
};
