/*
 * Data source zos_gateway_domain: what a name is called on a node, before any gateway has it.
 */
#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/gateway/spec.h"
#include "providers/scheduler/fleet.h"
#include "providers/values.h"

static struct provider_attribute attributes[] = {
	{ .name = "node",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "The gateway: a name or number of the inventory." },
	{ .name = "name",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "First label of the name." },
	{ .name = "fqdn",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "The whole name: name and the node's domain." },
};

static struct provider_schema schema = {
	.description = "The whole name that a name has on a gateway node.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

/* NULL after a problem. Lives in the operation's arena. */
static const char *domain_of(struct provider_instance *instance, struct provider_operation *op)
{
	struct node_pool *pool = instance->environment->nodes;
	const char *name = provider_get_text(op->config, "node");
	const struct node_entry *entry =
		name ? node_inventory_find(node_pool_inventory(pool), name) : NULL;
	zp_autoerror err = ZP_ERROR_INIT;
	struct zos_fleet_node node;

	if (!entry) {
		/* Says which nodes there are. */
		node_pool_get(pool, name ? name : "", &err);
		provider_error_from(&op->problems, "node", "No such node", &err);
		return NULL;
	}
	zos_fleet_ask_one(&node, op->arena, pool, entry);
	if (node.failure) {
		zp_error_set(&err, "%s", node.failure);
		provider_error_from(&op->problems, "node", "Node is out of reach", &err);
		return NULL;
	}
	if (!*node.domain) {
		provider_error(&op->problems, "node", "Node has no domain",
			"Node %s serves no names: its node.hcl gives it no domain.", node.name);
		return NULL;
	}
	return node.domain;
}

static void read_domain(struct provider_instance *instance, struct provider_operation *op)
{
	const char *name = provider_get_text(op->config, "name");
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_builder builder;

	op->result = provider_schema_null(op->type->schema);
	if (provider_gateway_label_check(name ? name : "", &err) < 0) {
		provider_error_from(&op->problems, "name", "Unsuitable name", &err);
		return;
	}
	const char *domain = domain_of(instance, op);
	if (!domain)
		return;
	char *fqdn = zp_arena_format(op->arena, "%s.%s", name, domain);
	provider_gateway_lower(fqdn);
	provider_build(&builder, op->arena, op->type->schema, op->config);
	provider_build_set(&builder, "fqdn", hcl_string_cstr(op->arena, fqdn));
	op->result = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_domain(instance, ops[i]);
}

const struct provider_resource_type provider_zos_gateway_domain_data = {
	.name = "zos_gateway_domain",
	.schema = &schema,
	.run = run,
};
