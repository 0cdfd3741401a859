/* grid_network: zos_network with numbers for nodes. */
#include <string.h>

#include "base/alloc.h"
#include "providers/grid/view.h"
#include "providers/network/members.h"
#include "providers/network/run.h"
#include "providers/scheduler/fleet.h"

static struct provider_attribute attributes[] = {
	GRID_ID,
	GRID_REQUIRED("name", "string", "Deployments name it by this: letters, digits and _."),
	GRID_OPTIONAL("solution_type", "string", "\"Network\"", "For people."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people; nodes do not see it."),
	GRID_REQUIRED("nodes", "list(number)", "Nodes it spans."),
	{ .name = "ip_range",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "IPv4 range with prefix /16; every node gets a /24 of it." },
	GRID_OPTIONAL("mycelium_keys", "map(string)", NULL, "Accepted; nodes offer no mycelium."),
	GRID_OPTIONAL("add_wg_access", "bool", "false", "Whether a laptop may join by WireGuard."),
	GRID_COMPUTED("access_wg_config", "string", "The laptop's file for wg-quick."),
	GRID_COMPUTED("external_ip", "string", "The laptop's /24."),
	GRID_COMPUTED("external_sk", "string", "The laptop's private key."),
	GRID_COMPUTED("public_node_id", "number", "Node the laptop calls; 0 without access."),
	{ .name = "nodes_ip_range",
		.type = "map(string)",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED,
		.description = "The /24 of each node; its first address is the gateway." },
	GRID_COMPUTED("node_deployment_id", "map(number)", "A number for its part on each node."),
	GRID_STATUS,
};

static struct provider_schema schema = {
	.description = "A private network over one or more nodes.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
};

static const char *const same_names[] = { "id", "name", "description", "ip_range", "add_wg_access",
	"status" };
static const char *const texts[] = { "access_wg_config", "external_ip", "external_sk" };

/* ---- to and fro ---- */

static struct hcl_value nodes_inward(struct zp_arena *arena, struct hcl_value nodes)
{
	size_t count = 0;

	if (nodes.state != HCL_KNOWN)
		return nodes.state == HCL_NULL ? hcl_null(hcl_set_type(hcl_string)) :
						 hcl_unknown(hcl_set_type(hcl_string));
	struct hcl_value *names = zp_new_array(arena, struct hcl_value, nodes.count);
	for (uint32_t i = 0; i < nodes.count; i++) {
		const char *node = grid_node_text(arena, nodes.elements[i]);
		if (node)
			names[count++] = hcl_string_cstr(arena, node);
		else if (nodes.elements[i].state == HCL_UNKNOWN)
			names[count++] = hcl_unknown(hcl_string);
	}
	return hcl_set_value(hcl_string, names, count);
}

static void inward(const struct grid_view_context *context, struct hcl_value values,
	struct provider_builder *inner)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(same_names); i++)
		provider_build_set(inner, same_names[i], provider_get(values, same_names[i]));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++) {
		struct hcl_value text = provider_get(values, texts[i]);
		bool empty = text.state == HCL_KNOWN && !text.count;
		provider_build_set(inner, texts[i], empty ? hcl_null(hcl_string) : text);
	}
	provider_build_set(
		inner, "nodes", nodes_inward(context->arena, provider_get(values, "nodes")));
	provider_build_set(inner, "subnets", provider_get(values, "nodes_ip_range"));
}

static bool has_node(
	const struct grid_view_context *context, struct hcl_value nodes, struct hcl_value number)
{
	const char *node = grid_node_text(context->arena, number);

	for (uint32_t i = 0; node && nodes.state == HCL_KNOWN && i < nodes.count; i++) {
		const char *have = nodes.elements[i].state == HCL_KNOWN ? nodes.elements[i].text : "";
		if (strcmp(node, have) == 0 ||
			(context->pool &&
				zos_network_same_node(node_pool_inventory(context->pool), zp_str(node),
					zp_str(have))))
			return true;
	}
	return false;
}

/* In the order they were written in; those that came to light after them. */
static struct hcl_value nodes_outward(const struct grid_view_context *context,
	struct hcl_value inner, struct hcl_value before)
{
	size_t had = before.state == HCL_KNOWN ? before.count : 0, count = 0;
	struct hcl_value *numbers =
		zp_new_array(context->arena, struct hcl_value, had + inner.count);

	if (!context->pool || !hcl_is_wholly_known(inner) || inner.state != HCL_KNOWN)
		return before;
	for (size_t i = 0; i < had; i++)
		if (has_node(context, inner, before.elements[i]))
			numbers[count++] = before.elements[i];
	struct hcl_value known = nodes_inward(
		context->arena, hcl_list_value(hcl_number, numbers, count));
	for (uint32_t i = 0; i < inner.count; i++) {
		int64_t number = grid_node_number(context->pool, inner.elements[i].text);
		if (!has_node(context, known, hcl_int_value(number)))
			numbers[count++] = hcl_int_value(number);
	}
	return hcl_list_value(hcl_number, numbers, count);
}

/* Keys are numbers, also where the inventory's names were met (an import). */
static struct hcl_value ranges_outward(
	const struct grid_view_context *context, struct hcl_value subnets)
{
	if (!context->pool || subnets.state != HCL_KNOWN)
		return subnets;
	struct hcl_map_entry *entries =
		zp_new_array(context->arena, struct hcl_map_entry, subnets.count);
	for (uint32_t i = 0; i < subnets.count; i++) {
		zp_autofree char *node =
			zp_strndup(subnets.entries[i].key.ptr, subnets.entries[i].key.len);
		int64_t number = grid_node_number(context->pool, node);
		entries[i] = subnets.entries[i];
		if (number)
			entries[i].key = zp_str(
				grid_node_text(context->arena, hcl_int_value(number)));
	}
	return hcl_map_value(hcl_string, entries, subnets.count);
}

static struct hcl_value contracts_of(struct zp_arena *arena, struct hcl_value inner,
	struct hcl_value ranges)
{
	if (!hcl_is_wholly_known(ranges) || ranges.state != HCL_KNOWN)
		return hcl_unknown(hcl_map_type(hcl_number));
	const char **nodes = zp_new_array(arena, const char *, ranges.count);
	for (uint32_t i = 0; i < ranges.count; i++)
		nodes[i] = zp_arena_strndup(
			arena, ranges.entries[i].key.ptr, ranges.entries[i].key.len);
	return grid_contracts(arena, provider_get_text(inner, "id"), nodes, ranges.count);
}

static void outward(const struct grid_view_context *context, struct hcl_value inner,
	struct provider_builder *outer)
{
	struct hcl_value before = provider_built(outer);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(same_names); i++)
		provider_build_set(outer, same_names[i], provider_get(inner, same_names[i]));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(texts); i++)
		provider_build_set(outer, texts[i], grid_or_empty(provider_get(inner, texts[i])));
	struct hcl_value ranges = ranges_outward(context, provider_get(inner, "subnets"));
	provider_build_set(outer, "nodes",
		nodes_outward(context, provider_get(inner, "nodes"), provider_get(before, "nodes")));
	provider_build_set(outer, "nodes_ip_range", ranges);
	provider_build_set(
		outer, "node_deployment_id", contracts_of(context->arena, inner, ranges));
	/* An import tells what the schema's defaults would. */
	if (provider_get(before, "solution_type").state == HCL_NULL)
		provider_build_set(outer, "solution_type", hcl_string_static("Network"));
	if (provider_get(before, "description").state == HCL_NULL)
		provider_build_set(outer, "description", hcl_string_static(""));
}

static const struct grid_view view = {
	.inner = &provider_zos_network, .inward = inward, .outward = outward };

/* ---- checks and plan ---- */

static void check_ranges(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value ranges = provider_get(config, "nodes_ip_range");
	const char *whole = provider_get_text(config, "ip_range");
	struct provider_subnet range, subnet;

	if (ranges.state != HCL_KNOWN || !whole || !provider_subnet_parse(whole, &range))
		return;
	for (uint32_t i = 0; i < ranges.count; i++) {
		struct hcl_value text = ranges.entries[i].value;
		if (text.state == HCL_KNOWN &&
			(!provider_subnet_parse(text.text, &subnet) || subnet.prefix != 24 ||
				!provider_subnet_contains(range, subnet) ||
				!((subnet.address >> 8) & 0xff)))
			provider_error(problems, "nodes_ip_range", "Invalid range of a node",
				"\"%s\" is not a /24 of %s (other than its first).", text.text, whole);
	}
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	struct zp_arena arena;

	zp_arena_init(&arena);
	struct grid_view_context context = { .arena = &arena };
	grid_check_name(problems, config, "name");
	check_ranges(config, problems);
	if (!problems->errors && provider_is_object(config))
		provider_zos_network.validate(grid_view_inward(&view, &context, config), problems);
	zp_arena_release(&arena);
}

/* Ranges of nodes that the configuration gives stay; the others are chosen around them. */
static void plan_ranges(struct provider_plan *plan)
{
	struct hcl_value given = provider_get(plan->config, "nodes_ip_range"), ranges;
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_builder builder;

	if (given.state != HCL_KNOWN)
		return;
	if (!zos_subnets_assign(plan->arena, provider_get_text(plan->planned, "ip_range"),
		    nodes_inward(plan->arena, provider_get(plan->planned, "nodes")), given, &ranges,
		    &err)) {
		provider_error_from(
			&plan->problems, "nodes_ip_range", "The network has no room", &err);
		return;
	}
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "nodes_ip_range", ranges);
	plan->planned = provider_built(&builder);
}

static void plan_public_node(struct provider_plan *plan)
{
	struct hcl_value wanted = provider_get(plan->planned, "add_wg_access");
	struct provider_builder builder;
	struct hcl_value node = hcl_unknown(hcl_number);

	if (wanted.state == HCL_KNOWN && !wanted.boolean)
		node = hcl_int_value(0);
	else if (provider_has(plan->planned, "access_wg_config"))
		node = provider_get(plan->prior, "public_node_id");
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "public_node_id", node);
	plan->planned = provider_built(&builder);
}

static void plan_network(struct provider_plan *plan)
{
	grid_view_plan(&view, plan);
	if (plan->planned.state != HCL_KNOWN)
		return;
	plan_ranges(plan);
	plan_public_node(plan);
	if (provider_has(plan->config, "mycelium_keys") && plan->prior.state != HCL_KNOWN)
		provider_warning(&plan->problems, "mycelium_keys", "No mycelium here",
			"Nodes do not offer the mycelium network: mycelium_keys has no effect, and the "
			"mycelium_ip of machines is empty.");
}

/* ---- carrying out ---- */

/* The node of the network with the address that the laptop calls. */
static int64_t public_node(struct provider_instance *instance, const struct provider_operation *op)
{
	struct hcl_value nodes = provider_get(op->result, "nodes");
	const char *config = provider_get_text(op->result, "access_wg_config");
	const char *endpoint = config ? strstr(config, "Endpoint = ") : NULL;
	struct node_pool *pool = instance->environment->nodes;

	for (uint32_t i = 0; endpoint && nodes.state == HCL_KNOWN && i < nodes.count; i++) {
		const char *node = grid_node_text(op->arena, nodes.elements[i]);
		const struct node_entry *entry =
			node ? node_inventory_find(node_pool_inventory(pool), node) : NULL;
		struct zos_fleet_node facts;
		if (!entry)
			continue;
		zos_fleet_ask_one(&facts, op->arena, pool, entry);
		size_t len = strlen(facts.public_address);
		const char *host = endpoint + strlen("Endpoint = ");
		if (len && strncmp(host, facts.public_address, len) == 0 && host[len] == ':')
			return entry->id;
	}
	return 0;
}

static void set_public_node(struct provider_instance *instance, struct provider_operation *op)
{
	struct provider_builder builder;
	struct hcl_value node = provider_get(op->result, "public_node_id");

	if (!provider_is_object(op->result) || node.state == HCL_KNOWN)
		return;
	provider_build(&builder, op->arena, op->type->schema, op->result);
	provider_build_set(&builder, "public_node_id", hcl_int_value(public_node(instance, op)));
	op->result = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	grid_view_run(&view, instance, ops, count);
	for (size_t i = 0; i < count; i++)
		set_public_node(instance, ops[i]);
}

static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "networks";
}

const struct provider_resource_type provider_grid_network = {
	.name = "grid_network",
	.schema = &schema,
	.spans_nodes = true,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_network,
	.run = run,
	.batch_key = batch_key,
};
