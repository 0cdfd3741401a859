/* grid_scheduler: zos_scheduler with numbers for nodes. */
#include "base/alloc.h"
#include "providers/grid/view.h"
#include "providers/scheduler/request.h"

static struct provider_attribute request_attributes[] = {
	GRID_REQUIRED("name", "string", "Key of the request in `nodes`."),
	GRID_OPTIONAL("cru", "number", NULL, "Cores that must be free."),
	GRID_OPTIONAL("mru", "number", NULL, "Memory that must be free, in MB."),
	GRID_OPTIONAL("sru", "number", NULL, "Disk that must be free, in MB."),
	GRID_OPTIONAL("hru", "number", NULL, "More disk that must be free, in MB."),
	GRID_OPTIONAL("farm_id", "number", NULL, "Only nodes of this farm."),
	GRID_REQUIRED("yggdrasil", "bool", "Accepted, and without meaning here."),
	GRID_REQUIRED("wireguard", "bool", "Accepted, and without meaning here."),
	GRID_OPTIONAL("public_config", "bool", NULL, "Only nodes with a public address."),
	GRID_OPTIONAL("public_ips_count", "number", NULL,
		"Public IPv4 addresses that must be free."),
	GRID_OPTIONAL("certified", "bool", NULL, "Accepted, and without meaning here."),
	GRID_OPTIONAL("dedicated", "bool", NULL, "Only nodes that are reserved for you."),
	GRID_OPTIONAL("node_exclude", "list(number)", NULL, "Nodes not to take."),
	GRID_OPTIONAL("distinct", "bool", "false", "Not on a node that another distinct request has."),
};

static struct provider_schema request_schema = {
	.attributes = request_attributes,
	.attribute_count = ZP_ARRAY_SIZE(request_attributes),
};

static struct provider_attribute attributes[] = {
	GRID_ID,
	GRID_COMPUTED("nodes", "map(number)", "Node of each request, by the request's name."),
};

static struct provider_block blocks[] = {
	{ .name = "requests", .nesting = PROVIDER_LIST, .min = 1, .schema = &request_schema },
};

static struct provider_schema schema = {
	.description = "Chooses nodes that have what is asked for, and keeps its choice.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

/* ---- to and fro ---- */

static const char *const same_names[] = { "name", "cru", "mru", "sru", "hru", "farm_id",
	"public_config", "public_ips_count", "dedicated", "distinct" };

/* The nodes the request excludes, and those that have no number, which it could not be given. */
static struct hcl_value excluded(const struct grid_view_context *context, struct hcl_value list)
{
	const struct node_inventory *inventory =
		context->pool ? node_pool_inventory(context->pool) : NULL;
	size_t given = list.state == HCL_KNOWN ? list.count : 0, count = 0;
	struct hcl_value *names = zp_new_array(context->arena, struct hcl_value,
		given + (inventory ? inventory->count : 0));

	if (!hcl_is_wholly_known(list))
		return hcl_unknown(hcl_set_type(hcl_string));
	for (size_t i = 0; i < given; i++) {
		const char *node = grid_node_text(context->arena, list.elements[i]);
		if (node)
			names[count++] = hcl_string_cstr(context->arena, node);
	}
	for (size_t i = 0; inventory && i < inventory->count; i++)
		if (!inventory->items[i].id)
			names[count++] = hcl_string_cstr(context->arena, inventory->items[i].name);
	return hcl_set_value(hcl_string, names, count);
}

static struct hcl_value request_inward(const struct grid_view_context *context, struct hcl_value block)
{
	struct provider_builder inner;

	if (block.state != HCL_KNOWN)
		return hcl_unknown(zos_request_schema.type);
	provider_build(&inner, context->arena, &zos_request_schema, zos_request_schema.empty);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(same_names); i++)
		provider_build_set(&inner, same_names[i], provider_get(block, same_names[i]));
	provider_build_set(
		&inner, "node_exclude", excluded(context, provider_get(block, "node_exclude")));
	return provider_built(&inner);
}

static struct hcl_value requests_inward(
	const struct grid_view_context *context, struct hcl_value requests)
{
	if (requests.state != HCL_KNOWN)
		return hcl_unknown(hcl_list_type(zos_request_schema.type));
	struct hcl_value *elements =
		zp_new_array(context->arena, struct hcl_value, requests.count);
	for (uint32_t i = 0; i < requests.count; i++)
		elements[i] = request_inward(context, requests.elements[i]);
	return hcl_list_value(zos_request_schema.type, elements, requests.count);
}

static struct hcl_value nodes_inward(const struct grid_view_context *context, struct hcl_value nodes)
{
	const struct hcl_type *type = hcl_map_type(hcl_string);

	if (nodes.state != HCL_KNOWN)
		return nodes.state == HCL_NULL ? hcl_null(type) : hcl_unknown(type);
	struct hcl_map_entry *entries =
		zp_new_array(context->arena, struct hcl_map_entry, nodes.count);
	for (uint32_t i = 0; i < nodes.count; i++) {
		const char *node = grid_node_text(context->arena, nodes.entries[i].value);
		entries[i].key = nodes.entries[i].key;
		entries[i].value = node ? hcl_string_cstr(context->arena, node) :
					  hcl_unknown_not_null(hcl_string);
	}
	return hcl_map_value(hcl_string, entries, nodes.count);
}

static void inward(const struct grid_view_context *context, struct hcl_value values,
	struct provider_builder *inner)
{
	provider_build_set(inner, "id", provider_get(values, "id"));
	provider_build_set(
		inner, "requests", requests_inward(context, provider_get(values, "requests")));
	provider_build_set(inner, "nodes", nodes_inward(context, provider_get(values, "nodes")));
}

static void outward(const struct grid_view_context *context, struct hcl_value inner,
	struct provider_builder *outer)
{
	struct hcl_value nodes = provider_get(inner, "nodes");
	struct hcl_value out = hcl_unknown(hcl_map_type(hcl_number));

	if (nodes.state == HCL_KNOWN) {
		struct hcl_map_entry *entries =
			zp_new_array(context->arena, struct hcl_map_entry, nodes.count);
		for (uint32_t i = 0; i < nodes.count; i++) {
			struct hcl_value node = nodes.entries[i].value;
			entries[i].key = nodes.entries[i].key;
			entries[i].value = hcl_unknown_not_null(hcl_number);
			if (node.state == HCL_KNOWN && context->pool)
				entries[i].value = hcl_int_value(
					grid_node_number(context->pool, node.text));
		}
		out = hcl_map_value(hcl_number, entries, nodes.count);
	}
	provider_build_set(outer, "id", provider_get(inner, "id"));
	provider_build_set(outer, "nodes", out);
}

static const struct grid_view view = {
	.inner = &provider_zos_scheduler, .inward = inward, .outward = outward };

/* ---- slots ---- */

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	struct zp_arena arena;

	zp_arena_init(&arena);
	struct grid_view_context context = { .arena = &arena };
	if (provider_is_object(config))
		zos_requests_validate(grid_view_inward(&view, &context, config), problems);
	zp_arena_release(&arena);
}

static void plan_nodes(struct provider_plan *plan)
{
	grid_view_plan(&view, plan);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	grid_view_run(&view, instance, ops, count);
}

static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "schedulers";
}

const struct provider_resource_type provider_grid_scheduler = {
	.name = "grid_scheduler",
	.schema = &schema,
	.identity_attribute = "id",
	.in_process = true,
	.validate = validate,
	.plan = plan_nodes,
	.run = run,
	.batch_key = batch_key,
};
