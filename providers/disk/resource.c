/*
 * zos_disk: a disk for machines of one node, realised by a zmount workload. Grows in place.
 */
#include "providers/builtin.h"
#include "providers/scheduler/demand.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"

#define GIGABYTE (INT64_C(1) << 30)
#define MAX_GIGABYTES 10240

static struct provider_attribute attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "size",
		.type = "number",
		.flags = PROVIDER_REQUIRED,
		.description = "Size in GB (2^30 bytes). May grow, never shrink." },
	{ .name = "description",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people; nodes do not see it." },
	{ .name = "volume_id",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The node's own name of the volume." },
	ZOS_STATUS,
};

static struct provider_schema schema = {
	.description =
		"A disk for machines of one node. Its data outlives the machines it is mounted in.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value size = provider_get(config, "size");
	int64_t gigabytes;
	if (size.state != HCL_KNOWN)
		return;
	if (!hcl_number_to_int(size, &gigabytes) || gigabytes < 1 || gigabytes > MAX_GIGABYTES)
		provider_error(problems, "size", "Invalid disk size",
			"The size is a whole number of GB from 1 to %d.", MAX_GIGABYTES);
}

static void demand(struct hcl_value object, void (*add)(void *data, const struct provider_demand *demand),
	void *data)
{
	zos_demand_disk(&(struct zos_demand){ add, data }, provider_get_text(object, "node"),
		provider_get_int(object, "size", 0));
}

static void plan_disk(struct provider_plan *plan)
{
	zos_object_plan(plan);
	if (zos_plan_is_new(plan))
		return;
	int64_t before = provider_get_int(plan->prior, "size", 0);
	int64_t after = provider_get_int(plan->planned, "size", before);
	if (after < before)
		provider_error(&plan->problems, "size", "A disk can not shrink",
			"This disk has %lld GB and can not be made %lld GB without losing data. "
			"Keep the "
			"size, or make another disk and copy what is needed.",
			(long long)before, (long long)after);
}

static cJSON *disk_spec(struct zp_arena *arena, struct hcl_value values)
{
	(void)arena;
	return zos_disk_spec(provider_get_int(values, "size", 0));
}

static void fill(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	(void)before;
	int64_t bytes = zos_json_int(spec, "size", 0);
	provider_build_set(builder, "size", hcl_int_value(bytes / GIGABYTE));
	provider_build_set(
		builder, "volume_id", zos_json_text(builder->arena, result, "volume_id"));
}

static const struct zos_kind kind = {
	.part = "disk",
	.workload = "zmount",
	.spec = disk_spec,
	.fill = fill,
};

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_object_run(&kind, instance, ops, count);
}

const struct provider_resource_type provider_zos_disk = {
	.name = "zos_disk",
	.schema = &schema,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_disk,
	.run = run,
	.batch_key = zos_object_node,
	.demand = demand,
};
