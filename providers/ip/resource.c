/*
 * zos_ip: a public address of a node, for one of its machines; realised by an ip workload.
 */
#include "providers/builtin.h"
#include "providers/ip/workload.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"

static struct provider_attribute attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "ipv4",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "true",
		.description = "Whether to lease an IPv4 address of the node's pool." },
	{ .name = "ipv6",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "false",
		.description = "Whether the machine gets an IPv6 address on the public bridge." },
	{ .name = "description",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people; nodes do not see it." },
	{ .name = "ip",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The IPv4 address with its prefix, \"203.0.113.10/24\"." },
	{ .name = "ip6",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The IPv6 address with its prefix." },
	{ .name = "gateway",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The IPv4 gateway." },
	ZOS_STATUS,
};

static struct provider_schema schema = {
	.description = "A public address of a node, for one of its machines.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value v4 = provider_get(config, "ipv4"), v6 = provider_get(config, "ipv6");
	bool no_v4 = v4.state == HCL_KNOWN && !provider_get_bool(config, "ipv4", true);
	bool no_v6 = v6.state == HCL_NULL ||
		     (v6.state == HCL_KNOWN && !provider_get_bool(config, "ipv6", false));

	if (no_v4 && no_v6)
		provider_error(problems, "ipv4", "No address asked for",
			"At least one of \"ipv4\" and \"ipv6\" must be true.");
}

static cJSON *ip_spec(struct zp_arena *arena, struct hcl_value values)
{
	(void)arena;
	return zos_ip_spec(provider_get_bool(values, "ipv4", true),
		provider_get_bool(values, "ipv6", false));
}

static void fill(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	static const char *const texts[] = { "ip", "ip6", "gateway" };

	(void)before;
	provider_build_set(builder, "ipv4",
		hcl_bool_value(!cJSON_IsFalse(cJSON_GetObjectItem(spec, "v4"))));
	provider_build_set(builder, "ipv6",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(spec, "v6"))));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(
			builder, texts[i], zos_json_text(builder->arena, result, texts[i]));
}

static void demand(struct hcl_value object, void (*add)(void *data, const struct provider_demand *demand),
	void *data)
{
	add(data, &(struct provider_demand){ .node = provider_get_text(object, "node"),
			  .addresses = provider_get_bool(object, "ipv4", true) });
}

static const struct zos_kind kind = {
	.part = "ip",
	.workload = PROVIDER_IP_TYPE,
	.spec = ip_spec,
	.fill = fill,
};

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_object_run(&kind, instance, ops, count);
}

const struct provider_resource_type provider_zos_ip = {
	.name = "zos_ip",
	.schema = &schema,
	.identity_attribute = "id",
	.validate = validate,
	.plan = zos_object_plan,
	.run = run,
	.batch_key = zos_object_node,
	.demand = demand,
};
