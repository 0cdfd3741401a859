/*
 * zos_gateway_name and zos_gateway_fqdn: a name on a gateway node that leads to backends, realised
 * by a gateway-name-proxy or gateway-fqdn-proxy workload.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/gateway/names.h"
#include "providers/gateway/spec.h"
#include "providers/gateway/workload.h"
#include "providers/zos/checks.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"

#define ATTRIBUTE_BACKENDS                                                                         \
	{                                                                                          \
		.name = "backends", .type = "list(string)", .flags = PROVIDER_REQUIRED,            \
		.description = "Where requests go: \"http://10.1.1.2:8000\", or \"10.1.1.2:443\" " \
			       "with tls_passthrough. Several are balanced."                       \
	}
#define ATTRIBUTE_PASSTHROUGH                                                                      \
	{                                                                                          \
		.name = "tls_passthrough", .type = "bool", .flags = PROVIDER_OPTIONAL,             \
		.default_value = "false",                                                          \
		.description = "Hand TLS on to the backends instead of ending it at the gateway."  \
	}
#define ATTRIBUTE_REDIRECT                                                                         \
	{                                                                                          \
		.name = "redirect_https", .type = "bool", .flags = PROVIDER_OPTIONAL,              \
		.default_value = "false",                                                          \
		.description = "Answer plain HTTP with a redirect to the same place by https."     \
	}
#define ATTRIBUTE_HEALTH                                                                           \
	{                                                                                          \
		.name = "health_check", .type = "string", .flags = PROVIDER_OPTIONAL,              \
		.description = "Path that a backend must answer with success; else it is passed "  \
			       "over."                                                             \
	}
#define ATTRIBUTE_AUTHORITY                                                                        \
	{                                                                                          \
		.name = "certificate_authority", .type = "string", .flags = PROVIDER_COMPUTED,     \
		.description = "Certificate (PEM) of the node's own authority, where that signed " \
			       "the name's."                                                       \
	}
#define ATTRIBUTE_NETWORK                                                                          \
	{                                                                                          \
		.name = "network", .type = "string", .flags = PROVIDER_OPTIONAL,                   \
		.description = "Id of the zos_network the backends' addresses belong to."          \
	}
#define ATTRIBUTE_DESCRIPTION                                                                      \
	{                                                                                          \
		.name = "description", .type = "string", .flags = PROVIDER_OPTIONAL,               \
		.description = "For people; nodes do not see it."                                  \
	}

static struct provider_attribute name_attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "name",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "First label of the name; unique among the gateways." },
	ATTRIBUTE_BACKENDS,
	ATTRIBUTE_PASSTHROUGH,
	ATTRIBUTE_REDIRECT,
	ATTRIBUTE_HEALTH,
	ATTRIBUTE_NETWORK,
	ATTRIBUTE_DESCRIPTION,
	{ .name = "fqdn",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The whole name: name and the node's domain." },
	ATTRIBUTE_AUTHORITY,
	ZOS_STATUS,
};

static struct provider_schema name_schema = {
	.description = "A name under the gateway node's domain that leads to backends.",
	.attributes = name_attributes,
	.attribute_count = ZP_ARRAY_SIZE(name_attributes),
};

static struct provider_attribute fqdn_attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "fqdn",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "A full domain name whose DNS entry points to the gateway node." },
	ATTRIBUTE_BACKENDS,
	ATTRIBUTE_PASSTHROUGH,
	ATTRIBUTE_REDIRECT,
	ATTRIBUTE_HEALTH,
	ATTRIBUTE_NETWORK,
	ATTRIBUTE_DESCRIPTION,
	ATTRIBUTE_AUTHORITY,
	ZOS_STATUS,
};

static struct provider_schema fqdn_schema = {
	.description = "A domain name of one's own that leads to backends.",
	.attributes = fqdn_attributes,
	.attribute_count = ZP_ARRAY_SIZE(fqdn_attributes),
};

static cJSON *gateway_spec(struct zp_arena *arena, struct hcl_value values, bool by_name)
{
	const char *network = provider_get_text(values, "network");
	struct zos_gateway gateway = {
		.name = by_name ? provider_get_text(values, "name") : NULL,
		.fqdn = by_name ? NULL : provider_get_text(values, "fqdn"),
		.backends = provider_get(values, "backends"),
		.tls_passthrough = provider_get_bool(values, "tls_passthrough", false),
		.redirect_https = provider_get_bool(values, "redirect_https", false),
		.health_check = provider_get_text(values, "health_check"),
		.network = network && *network ? zos_workload_id(arena, network, "net") : NULL,
	};

	return zos_gateway_spec(&gateway);
}

static cJSON *name_spec(struct zp_arena *arena, struct hcl_value values)
{
	return gateway_spec(arena, values, true);
}

static cJSON *fqdn_spec(struct zp_arena *arena, struct hcl_value values)
{
	return gateway_spec(arena, values, false);
}

static struct hcl_value network_of(struct zp_arena *arena, const cJSON *spec)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(spec, "network"));
	const char *slash = text ? strrchr(text, '/') : NULL;
	return slash ? hcl_string_value(arena, zp_strn(text, (size_t)(slash - text)))
		     : hcl_null(hcl_string);
}

static void fill(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	provider_build_set(builder, "backends", zos_json_list(builder->arena, spec, "backends"));
	provider_build_set(builder, "tls_passthrough",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(spec, "tls_passthrough"))));
	provider_build_set(builder, "redirect_https",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(spec, "redirect_https"))));
	provider_build_set(builder, "health_check",
		zos_keep_empty(provider_get(before, "health_check"),
			zos_json_text(builder->arena, spec, "health_check")));
	provider_build_set(builder, "certificate_authority",
		zos_json_text(builder->arena, result, "certificate_authority"));
	provider_build_set(builder, "network",
		zos_keep_empty(provider_get(before, "network"), network_of(builder->arena, spec)));
}

static void fill_name(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	fill(builder, before, spec, result);
	provider_build_set(builder, "name", zos_json_text(builder->arena, spec, "name"));
	struct hcl_value fqdn = zos_json_text(builder->arena, result, "fqdn");
	provider_build_set(
		builder, "fqdn", fqdn.state == HCL_NULL ? provider_get(before, "fqdn") : fqdn);
}

static void fill_fqdn(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	fill(builder, before, spec, result);
	provider_build_set(builder, "fqdn", zos_json_text(builder->arena, spec, "fqdn"));
}

static bool is_part_known(struct hcl_value config, const char *name)
{
	return hcl_is_wholly_known(provider_get(config, name));
}

/*
 * The node's own check of a spec, made before any node is asked. Its messages begin with the
 * field's name, which is the attribute's too. Where parts are not known yet harmless ones stand in
 * for them.
 */
static void validate(struct hcl_value config, struct provider_problems *problems, bool by_name)
{
	static const char *const fields[] = { "name", "fqdn", "backends", "network",
		"health_check" };
	const char *name = by_name ? "name" : "fqdn";
	zos_check_reference(problems, config, "network", "zos_network");
	if (config.state != HCL_KNOWN || problems->errors ||
		!is_part_known(config, "tls_passthrough"))
		return;
	struct zp_arena arena;
	zp_arena_init(&arena);
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_gateway_spec checked;
	cJSON *spec = gateway_spec(&arena, config, by_name);
	if (!is_part_known(config, name))
		cJSON_AddStringToObject(spec, name, by_name ? "name" : "name.example");
	if (!is_part_known(config, "backends")) {
		bool raw = provider_get_bool(config, "tls_passthrough", false);
		const char *stand_in = raw ? "192.0.2.1:443" : "http://192.0.2.1";
		cJSON_ReplaceItemInObject(spec, "backends", cJSON_CreateStringArray(&stand_in, 1));
	}
	if (!provider_gateway_spec_read(spec, by_name, &checked, &err)) {
		provider_gateway_spec_release(&checked);
	} else {
		const char *attribute = NULL;
		for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++)
			if (zp_str_starts(zp_str(err.message), fields[i]))
				attribute = fields[i];
		provider_error_from(problems, attribute, "Invalid gateway", &err);
	}
	cJSON_Delete(spec);
	zp_arena_release(&arena);
}

static void validate_name(struct hcl_value config, struct provider_problems *problems)
{
	validate(config, problems, true);
}

static void validate_fqdn(struct hcl_value config, struct provider_problems *problems)
{
	validate(config, problems, false);
}

/* Where TLS begins or ceases to end at the gateway, who vouches for the name is another. */
static void plan(struct provider_plan *plan)
{
	struct provider_builder builder;
	zos_object_plan(plan);
	if (plan->prior.state != HCL_KNOWN || plan->planned.state != HCL_KNOWN ||
		provider_get_bool(plan->prior, "tls_passthrough", false) ==
			provider_get_bool(plan->planned, "tls_passthrough", false))
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "certificate_authority", hcl_unknown(hcl_string));
	plan->planned = provider_built(&builder);
}

static const struct zos_kind name_kind = {
	.part = "gw",
	.workload = PROVIDER_GATEWAY_NAME_TYPE,
	.spec = name_spec,
	.fill = fill_name,
};

static const struct zos_kind fqdn_kind = {
	.part = "gw",
	.workload = PROVIDER_GATEWAY_FQDN_TYPE,
	.spec = fqdn_spec,
	.fill = fill_fqdn,
};

/* Claims of those operations that make a gateway with a name and have come to no harm yet. */
static struct zos_name_claim *claims_of(
	struct provider_operation *const *ops, size_t count, size_t *claim_count)
{
	struct zos_name_claim *claims = zp_calloc(count + 1, sizeof(*claims));

	*claim_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct provider_operation *op = ops[i];
		const char *name = provider_get_text(op->planned, "name");
		if (op->verb != PROVIDER_CREATE || op->problems.errors || !name || !op->identity)
			continue;
		char *lower = zp_arena_format(op->arena, "%s", name);
		provider_gateway_lower(lower);
		claims[(*claim_count)++] = (struct zos_name_claim){ .op = op, .name = lower,
			.id = zos_workload_id(op->arena, op->identity, name_kind.part) };
	}
	return claims;
}

/* Who came second gives the name back. */
static void withdraw(struct provider_instance *instance, const struct zos_name_claim *claim)
{
	struct provider_operation *op = claim->op;
	struct node_client *client =
		node_pool_get(instance->environment->nodes, zos_object_node(op), NULL);
	if (client && !node_remove(client, claim->id, NULL))
		op->result = provider_schema_null(op->type->schema);
}

static void run_name(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct provider_operation **free_ops = zp_calloc(count + 1, sizeof(*free_ops));
	size_t claim_count, free_count = 0;
	zp_autofree struct zos_name_claim *claims = claims_of(ops, count, &claim_count);
	zos_names_check(instance, claims, claim_count, true);
	for (size_t i = 0; i < count; i++)
		if (ops[i]->problems.errors)
			ops[i]->result = provider_schema_null(ops[i]->type->schema);
		else
			free_ops[free_count++] = ops[i];
	zos_object_run(&name_kind, instance, free_ops, free_count);
	zp_autofree struct zos_name_claim *made = claims_of(free_ops, free_count, &claim_count);
	zos_names_check(instance, made, claim_count, false);
	for (size_t i = 0; i < claim_count; i++)
		if (made[i].op->problems.errors)
			withdraw(instance, &made[i]);
}

static void run_fqdn(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_object_run(&fqdn_kind, instance, ops, count);
}

const struct provider_resource_type provider_zos_gateway_name = {
	.name = "zos_gateway_name",
	.schema = &name_schema,
	.identity_attribute = "id",
	.validate = validate_name,
	.plan = plan,
	.run = run_name,
	.batch_key = zos_object_node,
};

const struct provider_resource_type provider_zos_gateway_fqdn = {
	.name = "zos_gateway_fqdn",
	.schema = &fqdn_schema,
	.identity_attribute = "id",
	.validate = validate_fqdn,
	.plan = plan,
	.run = run_fqdn,
	.batch_key = zos_object_node,
};
