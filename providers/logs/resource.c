/*
 * zos_logs: the console of a machine as a stream to a redis channel or a WebSocket; realised by a
 * zlogs workload on the machine's node.
 */
#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/logs/output.h"
#include "providers/logs/workload.h"
#include "providers/zos/checks.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"

static struct provider_attribute attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "machine",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Id of the zos_machine, which runs on the same node." },
	{ .name = "output",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_SENSITIVE,
		.description = "Where to: \"redis://host:6379/channel\", \"ws://host/path\" or "
			       "\"wss://host/path\"." },
	{ .name = "certificate_authority",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "Certificate (PEM) to trust of a wss target, in place of those the "
			       "node trusts." },
	{ .name = "description",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people; nodes do not see it." },
	ZOS_STATUS,
};

static struct provider_schema schema = {
	.description = "The console of a machine, line by line, to a log server.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	const char *url = provider_get_text(config, "output");
	provider_autooutput output = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;

	zos_check_reference(problems, config, "machine", "zos_machine");
	if (url && provider_log_output_parse(url, &output, &err) < 0)
		provider_error_from(problems, "output", "Not a target for logs", &err);
}

static cJSON *spec(struct zp_arena *arena, struct hcl_value values)
{
	const char *machine = provider_get_text(values, "machine");
	cJSON *json = zos_logs_spec(machine ? zos_workload_id(arena, machine, "vm") : NULL,
		provider_get_text(values, "output"));

	zos_json_add_text(
		json, "certificate_authority", provider_get(values, "certificate_authority"));
	return json;
}

static void fill(struct provider_builder *builder, struct hcl_value before, const cJSON *json,
	const cJSON *result)
{
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(json, "zmachine"));
	const char *slash = id ? strrchr(id, '/') : NULL;

	(void)result;
	provider_build_set(builder, "certificate_authority",
		zos_keep_empty(provider_get(before, "certificate_authority"),
			zos_json_text(builder->arena, json, "certificate_authority")));
	if (slash)
		provider_build_set(builder, "machine",
			hcl_string_value(builder->arena, zp_strn(id, (size_t)(slash - id))));
	provider_build_set(builder, "output", zos_json_text(builder->arena, json, "output"));
}

static const struct zos_kind kind = {
	.part = "logs",
	.workload = PROVIDER_LOGS_TYPE,
	.spec = spec,
	.fill = fill,
};

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_object_run(&kind, instance, ops, count);
}

const struct provider_resource_type provider_zos_logs = {
	.name = "zos_logs",
	.schema = &schema,
	.identity_attribute = "id",
	.validate = validate,
	.plan = zos_object_plan,
	.run = run,
	.batch_key = zos_object_node,
};
