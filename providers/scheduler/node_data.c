/*
 * Data sources zos_node and zos_nodes: what nodes say of themselves.
 */
#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/scheduler/request.h"
#include "providers/values.h"

#define MEGABYTE (INT64_C(1) << 20)

#define RESULT(attribute, kind, text)                                                              \
	{                                                                                          \
		.name = attribute, .type = kind, .flags = PROVIDER_COMPUTED, .description = text   \
	}
#define FILTER(attribute, kind, text)                                                              \
	{                                                                                          \
		.name = attribute, .type = kind, .flags = PROVIDER_OPTIONAL, .description = text   \
	}
#define AMOUNTS "object({cru=number,mru=number,sru=number})"

static struct provider_attribute node_attributes[] = {
	{ .name = "node",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Name or number in the inventory." },
	RESULT("name", "string", "Its name in the inventory."),
	RESULT("number", "number", "Its number; 0 when it has none."),
	RESULT("farm", "number", "Number of its farm."),
	RESULT("version", "string", "Version of its agent."),
	RESULT("domain", "string", "Domain of its gateways, or \"\"."),
	RESULT("public_address", "string", "Its public IPv4 address, or \"\"."),
	RESULT("dedicated", "string", "The tenant it is reserved for, or \"\"."),
	RESULT("labels", "map(string)", "Its labels."),
	RESULT("types", "list(string)", "Workload types it can realise."),
	RESULT("capacity", AMOUNTS, "Cores, MB of memory and MB of disk in all."),
	RESULT("free", AMOUNTS, "What is left of them."),
	RESULT("public_ips", "number", "Public IPv4 addresses it may give."),
	RESULT("public_ips_free", "number", "How many of those are left."),
	RESULT("workloads", "number", "Workloads on it that you may see."),
};

static struct provider_schema node_schema = {
	.description = "What a node says of itself.",
	.attributes = node_attributes,
	.attribute_count = ZP_ARRAY_SIZE(node_attributes),
};

static struct provider_attribute nodes_attributes[] = {
	FILTER("cru", "number", "Cores that must be free."),
	FILTER("mru", "number", "Memory that must be free, in MB."),
	FILTER("sru", "number", "Disk that must be free, in MB."),
	FILTER("hru", "number", "More disk that must be free, in MB."),
	FILTER("farm_id", "number", "Only nodes of this farm."),
	FILTER("public_config", "bool", "Only nodes with a public address."),
	FILTER("public_ips_count", "number", "Public IPv4 addresses that must be free."),
	FILTER("domain", "bool", "Only nodes with a domain for gateways."),
	FILTER("dedicated", "bool", "Only nodes that are reserved for you."),
	FILTER("node_exclude", "set(string)", "Names or numbers of nodes to leave out."),
	FILTER("labels", "map(string)", "Only nodes that have these labels."),
	RESULT("names", "list(string)", "The nodes, in the order of the inventory."),
	RESULT("unreachable", "list(string)", "Nodes that did not answer."),
};

static struct provider_schema nodes_schema = {
	.description = "Nodes that have what is asked for.",
	.attributes = nodes_attributes,
	.attribute_count = ZP_ARRAY_SIZE(nodes_attributes),
};

static struct hcl_value amounts(struct zp_arena *arena, struct node_capacity capacity)
{
	static const char *const names[] = { "cru", "mru", "sru" };
	struct hcl_value values[] = { hcl_int_value(capacity.cores),
		hcl_int_value(capacity.memory / MEGABYTE), hcl_int_value(capacity.disk / MEGABYTE) };

	return hcl_object_build(arena, names, values, ZP_ARRAY_SIZE(names));
}

static void fill_node(struct provider_builder *builder, const struct zos_fleet_node *node)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "name", node->name }, { "version", node->version }, { "domain", node->domain },
		{ "public_address", node->public_address }, { "dedicated", node->dedicated },
	};
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = {
		{ "number", node->number }, { "farm", node->farm },
		{ "public_ips", node->public_ips },
		{ "public_ips_free", node->public_ips_free }, { "workloads", node->workloads },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(
			builder, texts[i].name, hcl_string_cstr(builder->arena, texts[i].text));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(numbers); i++)
		provider_build_set(builder, numbers[i].name, hcl_int_value(numbers[i].number));
	provider_build_set(builder, "labels", node->labels);
	provider_build_set(builder, "types", node->types);
	provider_build_set(builder, "capacity", amounts(builder->arena, node->capacity));
	provider_build_set(builder, "free", amounts(builder->arena, node->free));
}

static void read_node(struct provider_instance *instance, struct provider_operation *op)
{
	struct node_pool *pool = instance->environment->nodes;
	const char *name = provider_get_text(op->config, "node");
	const struct node_entry *entry =
		name ? node_inventory_find(node_pool_inventory(pool), name) : NULL;
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_builder builder;
	struct zos_fleet_node node;

	op->result = provider_schema_null(op->type->schema);
	if (!entry) {
		/* Says which nodes there are. */
		node_pool_get(pool, name ? name : "", &err);
		provider_error_from(&op->problems, "node", "No such node", &err);
		return;
	}
	zos_fleet_ask_one(&node, op->arena, pool, entry);
	if (node.failure) {
		zp_error_set(&err, "%s", node.failure);
		provider_error_from(&op->problems, "node", "Node is out of reach", &err);
		return;
	}
	provider_build(&builder, op->arena, op->type->schema, op->config);
	fill_node(&builder, &node);
	op->result = provider_built(&builder);
}

static bool has_room(const struct zos_request *request, const struct zos_fleet_node *node)
{
	return request->want.cores <= node->free.cores && request->want.memory <= node->free.memory &&
		request->want.disk <= node->free.disk && request->public_ips <= node->public_ips_free;
}

static void read_nodes(struct provider_instance *instance, struct provider_operation *op)
{
	struct zos_request request = zos_request_read(op->config);
	struct provider_builder builder;
	struct zos_fleet fleet;
	size_t count = 0, silent = 0;

	zos_fleet_ask(&fleet, op->arena, instance->environment->nodes);
	struct hcl_value *names = zp_new_array(op->arena, struct hcl_value, fleet.count);
	struct hcl_value *unreachable = zp_new_array(op->arena, struct hcl_value, fleet.count);
	for (size_t i = 0; i < fleet.count; i++) {
		const struct zos_fleet_node *node = &fleet.items[i];
		if (node->failure)
			unreachable[silent++] = hcl_string_cstr(op->arena, node->name);
		else if (zos_request_suits(&request, node, NULL) && has_room(&request, node))
			names[count++] = hcl_string_cstr(op->arena, node->name);
	}
	provider_build(&builder, op->arena, op->type->schema, op->config);
	provider_build_set(&builder, "names", hcl_list_value(hcl_string, names, count));
	provider_build_set(&builder, "unreachable", hcl_list_value(hcl_string, unreachable, silent));
	op->result = provider_built(&builder);
}

static void run_node(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_node(instance, ops[i]);
}

static void run_nodes(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_nodes(instance, ops[i]);
}

const struct provider_resource_type provider_zos_node_data = {
	.name = "zos_node",
	.schema = &node_schema,
	.run = run_node,
};

const struct provider_resource_type provider_zos_nodes_data = {
	.name = "zos_nodes",
	.schema = &nodes_schema,
	.run = run_nodes,
};
