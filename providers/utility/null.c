/*
 * The provider `null`: objects that are nothing but their triggers.
 */
#include "providers/builtin.h"
#include "providers/utility/in_process.h"
#include "providers/utility/uuid.h"

static struct provider_schema provider_schema;

static struct provider_attribute resource_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	UTILITY_TRIGGERS("triggers"),
};

static struct provider_schema resource_schema = {
	.attributes = resource_attributes,
	.attribute_count = ZP_ARRAY_SIZE(resource_attributes),
};

/* The id is a number, as users of the type are used to. */
static void create(struct provider_operation *op, struct provider_builder *builder)
{
	(void)op;
	uint64_t number = 0;
	provider_random(&number, sizeof(number));
	utility_set_text(builder, "id",
		zp_arena_format(builder->arena, "%llu", (unsigned long long)(number >> 1)));
}

static const struct utility_kind resource_kind = { .create = create };

static void run_resource(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	(void)instance;
	utility_run(&resource_kind, ops, count);
}

static const struct provider_resource_type null_resource = {
	.name = "null_resource",
	.schema = &resource_schema,
	.identity_attribute = "id",
	.in_process = true,
	.batch_key = utility_together,
	.run = run_resource,
};

static struct provider_attribute data_attributes[] = {
	{ .name = "id", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "inputs", .type = "map(string)", .flags = PROVIDER_OPTIONAL },
	{ .name = "outputs", .type = "map(string)", .flags = PROVIDER_COMPUTED },
	{ .name = "random", .type = "string", .flags = PROVIDER_COMPUTED },
	{ .name = "has_computed_default",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED },
};

static struct provider_schema data_schema = {
	.attributes = data_attributes,
	.attribute_count = ZP_ARRAY_SIZE(data_attributes),
};

static void read_data(struct provider_operation *op, struct provider_builder *builder)
{
	uint64_t number = 0;
	provider_random(&number, sizeof(number));
	utility_set_text(builder, "id", "static");
	provider_build_set(builder, "outputs", provider_get(op->config, "inputs"));
	utility_set_text(builder, "random",
		zp_arena_format(builder->arena, "%llu", (unsigned long long)(number >> 1)));
	if (!provider_has(op->config, "has_computed_default"))
		utility_set_text(builder, "has_computed_default", "default");
}

static const struct utility_kind data_kind = { .read = read_data };

static void run_data(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	(void)instance;
	utility_run(&data_kind, ops, count);
}

static const struct provider_resource_type null_data_source = {
	.name = "null_data_source",
	.schema = &data_schema,
	.identity_attribute = "id",
	.in_process = true,
	.batch_key = utility_together,
	.run = run_data,
};

static const struct provider_resource_type *const resources[] = { &null_resource, NULL };
static const struct provider_resource_type *const data_sources[] = { &null_data_source, NULL };

const struct provider provider_null = {
	.name = "null",
	.source = "registry.terraform.io/hashicorp/null",
	.version = "3.2.4",
	.schema = &provider_schema,
	.resources = resources,
	.data_sources = data_sources,
};
