/* grid_gateway_domain: the name a proxy will have on a gateway node. */
#include "base/alloc.h"
#include "providers/grid/grid.h"
#include "providers/scheduler/fleet.h"

static struct provider_attribute attributes[] = {
	GRID_REQUIRED("node", "number", "Gateway node."),
	GRID_REQUIRED("name", "string", "Name of the proxy."),
	GRID_COMPUTED("fqdn", "string", "The whole name: name and the node's domain."),
	GRID_COMPUTED("id", "string", "The same."),
};

static struct provider_schema schema = {
	.description = "The name that a grid_name_proxy has on a gateway node.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	grid_check_whole(problems, config, "node");
}

static void read_one(struct provider_instance *instance, struct provider_operation *op)
{
	struct node_pool *pool = instance->environment->nodes;
	const char *node = grid_node_text(op->arena, provider_get(op->config, "node"));
	const char *name = provider_get_text(op->config, "name");
	const struct node_entry *entry =
		node ? node_inventory_find(node_pool_inventory(pool), node) : NULL;
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_builder builder;
	struct zos_fleet_node facts;

	op->result = provider_schema_null(op->type->schema);
	if (!entry) {
		/* Says which nodes there are. */
		node_pool_get(pool, node ? node : "", &err);
		provider_error_from(&op->problems, "node", "No such node", &err);
		return;
	}
	zos_fleet_ask_one(&facts, op->arena, pool, entry);
	if (facts.failure) {
		provider_error(&op->problems, "node", "Node is out of reach", "%s", facts.failure);
		return;
	}
	if (!*facts.domain) {
		provider_error(&op->problems, "node", "Not a gateway node",
			"Node %s has no domain: a gateway node names one in its node.hcl.", node);
		return;
	}
	struct hcl_value fqdn = hcl_string_cstr(
		op->arena, zp_arena_format(op->arena, "%s.%s", name ? name : "", facts.domain));
	provider_build(&builder, op->arena, op->type->schema, op->config);
	provider_build_set(&builder, "fqdn", fqdn);
	provider_build_set(&builder, "id", fqdn);
	op->result = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_one(instance, ops[i]);
}

const struct provider_resource_type provider_grid_gateway_domain = {
	.name = "grid_gateway_domain",
	.schema = &schema,
	.validate = validate,
	.run = run,
};
