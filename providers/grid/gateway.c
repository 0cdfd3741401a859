/* grid_name_proxy and grid_fqdn_proxy: the zos gateways with numbers for nodes and names for networks. */
#include "base/alloc.h"
#include "providers/grid/view.h"

#define COMMON                                                                                     \
	GRID_OPTIONAL("solution_type", "string", "\"\"", "For people."),                           \
		{ .name = "node",                                                                  \
			.type = "number",                                                          \
			.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,                           \
			.description = "Gateway node." },                                          \
		GRID_OPTIONAL("tls_passthrough", "bool", "false",                                  \
			"Hand TLS on to the backends instead of ending it at the gateway."),       \
		GRID_OPTIONAL("network", "string", "\"\"",                                         \
			"Name of the network the backends' addresses belong to."),                 \
		GRID_REQUIRED("backends", "list(string)",                                          \
			"Where requests go: \"http://10.1.1.2:8000\", or \"10.1.1.2:443\" with "   \
			"tls_passthrough."),                                                       \
		GRID_COMPUTED("node_deployment_id", "map(number)",                                 \
			"A number for it on its node."),                                           \
		GRID_ID, GRID_STATUS

static struct provider_attribute name_attributes[] = {
	{ .name = "name",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "First label of the name; unique among the gateways." },
	GRID_OPTIONAL("description", "string", "\"Description of the gateway name workload.\"",
		"For people; nodes do not see it."),
	GRID_COMPUTED("fqdn", "string", "The whole name: name and the node's domain."),
	GRID_COMPUTED("name_contract_id", "number", "A number for the name."),
	COMMON,
};

static struct provider_attribute fqdn_attributes[] = {
	GRID_OPTIONAL("name", "string", "\"name\"", "For people."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people; nodes do not see it."),
	{ .name = "fqdn",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "A full domain name whose DNS entry points to the gateway node." },
	COMMON,
};

static struct provider_schema name_schema = {
	.description = "A name under the gateway node's domain that leads to backends.",
	.attributes = name_attributes,
	.attribute_count = ZP_ARRAY_SIZE(name_attributes),
};

static struct provider_schema fqdn_schema = {
	.description = "A domain name of one's own that leads to backends.",
	.attributes = fqdn_attributes,
	.attribute_count = ZP_ARRAY_SIZE(fqdn_attributes),
};

/* ---- to and fro ---- */

static const char *const same_names[] = { "id", "description", "backends", "tls_passthrough",
	"fqdn", "status" };

static void inward(const struct grid_view_context *context, struct hcl_value values,
	struct provider_builder *inner)
{
	struct hcl_value node = provider_get(values, "node");
	const char *text = grid_node_text(context->arena, node);

	for (size_t i = 0; i < ZP_ARRAY_SIZE(same_names); i++)
		provider_build_set(inner, same_names[i], provider_get(values, same_names[i]));
	if (text)
		provider_build_set(inner, "node", hcl_string_cstr(context->arena, text));
	else if (node.state == HCL_UNKNOWN)
		provider_build_set(inner, "node", hcl_unknown(hcl_string));
	if (context->network)
		provider_build_set(
			inner, "network", hcl_string_cstr(context->arena, context->network));
}

static void name_inward(const struct grid_view_context *context, struct hcl_value values,
	struct provider_builder *inner)
{
	inward(context, values, inner);
	provider_build_set(inner, "name", provider_get(values, "name"));
}

static void outward(const struct grid_view_context *context, struct hcl_value inner,
	struct provider_builder *outer)
{
	static const char *const empty_by_default[] = { "solution_type", "network", "description" };
	struct hcl_value before = provider_built(outer);
	const char *node = provider_get_text(inner, "node");
	const char *id = provider_get_text(inner, "id");
	struct hcl_value number = provider_get(before, "node");

	for (size_t i = 0; i < ZP_ARRAY_SIZE(same_names); i++)
		provider_build_set(outer, same_names[i], provider_get(inner, same_names[i]));
	for (size_t i = 0; i < ZP_ARRAY_SIZE(empty_by_default); i++)
		provider_build_set(outer, empty_by_default[i],
			grid_or_empty(provider_get(before, empty_by_default[i])));
	if (number.state == HCL_NULL && node && context->pool)
		provider_build_set(
			outer, "node", hcl_int_value(grid_node_number(context->pool, node)));
	provider_build_set(outer, "node_deployment_id",
		grid_contracts(context->arena, node ? id : NULL, &node, 1));
}

static void name_outward(const struct grid_view_context *context, struct hcl_value inner,
	struct provider_builder *outer)
{
	const char *id = provider_get_text(inner, "id");

	outward(context, inner, outer);
	provider_build_set(outer, "name", provider_get(inner, "name"));
	provider_build_set(outer, "name_contract_id",
		id ? grid_contract(id, "name") : hcl_unknown(hcl_number));
}

static bool network(const struct grid_view_context *context, struct hcl_value values,
	const char **node, const char **name)
{
	*node = grid_node_text(context->arena, provider_get(values, "node"));
	*name = provider_get_text(values, "network");
	return *node && *name && **name;
}

static const struct grid_view name_view = { .inner = &provider_zos_gateway_name,
	.inward = name_inward, .outward = name_outward, .network = network };
static const struct grid_view fqdn_view = { .inner = &provider_zos_gateway_fqdn,
	.inward = inward, .outward = outward, .network = network };

/* ---- slots ---- */

static void validate(const struct grid_view *view, struct hcl_value config,
	struct provider_problems *problems)
{
	struct zp_arena arena;

	zp_arena_init(&arena);
	struct grid_view_context context = { .arena = &arena };
	grid_check_name(problems, config, "name");
	grid_check_whole(problems, config, "node");
	if (!problems->errors && provider_is_object(config))
		view->inner->validate(grid_view_inward(view, &context, config), problems);
	zp_arena_release(&arena);
}

static void validate_name(struct hcl_value config, struct provider_problems *problems)
{
	validate(&name_view, config, problems);
}

static void validate_fqdn(struct hcl_value config, struct provider_problems *problems)
{
	validate(&fqdn_view, config, problems);
}

static void plan_name(struct provider_plan *plan)
{
	grid_view_plan(&name_view, plan);
}

static void plan_fqdn(struct provider_plan *plan)
{
	grid_view_plan(&fqdn_view, plan);
}

static void run_name(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	grid_view_run(&name_view, instance, ops, count);
}

static void run_fqdn(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	grid_view_run(&fqdn_view, instance, ops, count);
}

const struct provider_resource_type provider_grid_name_proxy = {
	.name = "grid_name_proxy",
	.schema = &name_schema,
	.identity_attribute = "id",
	.validate = validate_name,
	.plan = plan_name,
	.run = run_name,
	.batch_key = grid_batch_key,
};

const struct provider_resource_type provider_grid_fqdn_proxy = {
	.name = "grid_fqdn_proxy",
	.schema = &fqdn_schema,
	.identity_attribute = "id",
	.validate = validate_fqdn,
	.plan = plan_fqdn,
	.run = run_fqdn,
	.batch_key = grid_batch_key,
};
