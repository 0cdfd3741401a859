/*
 * zos_network: a private network over one or more nodes, realised by a network workload on each.
 * Its schema, checks and plan; how it is carried out is in run.c.
 */
#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/network/laptop.h"
#include "providers/network/members.h"
#include "providers/network/run.h"
#include "providers/network/spec.h"
#include "providers/zos/checks.h"
#include "providers/zos/object.h"

static struct provider_attribute attributes[] = {
	ZOS_ID,
	{ .name = "nodes",
		.type = "set(string)",
		.flags = PROVIDER_REQUIRED,
		.description = "Nodes it spans: names or numbers of the inventory." },
	{ .name = "ip_range",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "\"10.1.0.0/16\"",
		.description = "IPv4 range with prefix /16; every node gets a /24 of it." },
	{ .name = "name",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people: letters, digits and _, at most 50." },
	{ .name = "description",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people; nodes do not see it." },
	{ .name = "add_wg_access",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "false",
		.description = "Whether a laptop may join by WireGuard." },
	{ .name = "access_wg_config",
		.type = "string",
		.flags = PROVIDER_COMPUTED | PROVIDER_SENSITIVE,
		.description = "The laptop's file for wg-quick." },
	{ .name = "external_ip",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The laptop's /24." },
	{ .name = "external_sk",
		.type = "string",
		.flags = PROVIDER_COMPUTED | PROVIDER_SENSITIVE,
		.description = "The laptop's private key." },
	{ .name = "subnets",
		.type = "map(string)",
		.flags = PROVIDER_COMPUTED,
		.description = "The /24 of each node; its first address is the gateway." },
	ZOS_STATUS,
};

static struct provider_schema schema = {
	.description = "A private network over one or more nodes. Machines in it reach each other "
		       "wherever they run.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void check_name(struct hcl_value config, struct provider_problems *problems)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *name = provider_get_text(config, "name");
	size_t len = name ? strlen(name) : 0;
	if (name && (len < 1 || len > 50 || strspn(name, allowed) != len))
		provider_error(problems, "name", "Invalid name",
			"A name is 1 to 50 letters, digits and _; \"%s\" is not.", name);
}

/* The node's own check of a range, made before any node is asked. */
static void check_range(struct hcl_value config, struct provider_problems *problems)
{
	const char *range = provider_get_text(config, "ip_range");
	struct provider_subnet parsed;
	if (!range)
		return;
	cJSON *spec = cJSON_CreateObject();
	cJSON_AddStringToObject(spec, "ip_range", range);
	if (provider_subnet_parse(range, &parsed)) {
		struct zos_member member = { .subnet = { parsed.address | 0x100, 24 } };
		cJSON_Delete(spec);
		spec = zos_member_spec(range, &member, 1, 0, NULL);
	}
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_network_spec checked;
	if (!provider_network_spec_read(spec, &checked, &err))
		provider_network_spec_release(&checked);
	else
		provider_error_from(problems, "ip_range", "Invalid network range", &err);
	cJSON_Delete(spec);
}

static void check_nodes(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value nodes = provider_get(config, "nodes");
	if (nodes.state != HCL_KNOWN)
		return;
	if (!nodes.count)
		provider_error(problems, "nodes", "A network without nodes",
			"\"nodes\" names at least one node.");
	for (uint32_t i = 0; i < nodes.count; i++)
		if (nodes.elements[i].state == HCL_NULL ||
			(nodes.elements[i].state == HCL_KNOWN && !nodes.elements[i].count))
			provider_error(problems, "nodes", "Not a node",
				"An element of \"nodes\" is null or empty.");
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	check_nodes(config, problems);
	check_range(config, problems);
	check_name(config, problems);
}

static void plan_nodes(
	struct provider_plan *plan, const struct node_inventory *inventory, struct hcl_value nodes)
{
	for (uint32_t i = 0; nodes.state == HCL_KNOWN && i < nodes.count; i++) {
		if (nodes.elements[i].state != HCL_KNOWN)
			continue;
		zos_plan_node(plan, "nodes", nodes.elements[i].text);
		for (uint32_t j = 0; j < i; j++)
			if (nodes.elements[j].state == HCL_KNOWN &&
				zos_network_same_node(inventory, hcl_text(nodes.elements[i]),
					hcl_text(nodes.elements[j])))
				provider_error(&plan->problems, "nodes", "One node twice",
					"\"%s\" and \"%s\" are the same node.",
					nodes.elements[j].text, nodes.elements[i].text);
	}
}

static void plan_network(struct provider_plan *plan)
{
	static const struct node_inventory no_inventory;
	zp_autoerror err = ZP_ERROR_INIT;
	struct hcl_value subnets, prior = hcl_null(hcl_dynamic);
	zos_plan_status(plan);
	if (plan->planned.state != HCL_KNOWN)
		return;
	const struct provider_environment *environment =
		plan->instance ? plan->instance->environment : NULL;
	const struct node_inventory *inventory = environment && environment->nodes
							 ? node_pool_inventory(environment->nodes)
							 : &no_inventory;
	struct hcl_value nodes = provider_get(plan->planned, "nodes");
	if (!plan->replace_count)
		prior = zos_network_former_subnets(plan->arena, inventory, plan->prior, nodes);
	if (!zos_subnets_assign(plan->arena, provider_get_text(plan->planned, "ip_range"), nodes,
		    prior, &subnets, &err)) {
		provider_error_from(&plan->problems, "nodes", "The network has no room", &err);
		return;
	}
	struct provider_builder builder;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "subnets", subnets);
	plan->planned = provider_built(&builder);
	bool same_nodes = !zos_plan_is_new(plan) &&
			  hcl_value_identical(provider_get(plan->prior, "nodes"), nodes);
	const char *status = provider_get_text(plan->prior, "status");
	zos_laptop_plan(plan, subnets, same_nodes && status && !strcmp(status, "ok"));
	if (!same_nodes)
		plan_nodes(plan, inventory, nodes);
}

/* Networks have several nodes each; all that are ready together share messages. */
static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "networks";
}

const struct provider_resource_type provider_zos_network = {
	.name = "zos_network",
	.schema = &schema,
	.spans_nodes = true,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_network,
	.run = zos_network_run,
	.batch_key = batch_key,
};
