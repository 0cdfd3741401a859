/* grid_kubernetes: its schema, checks and plan. */
#include "providers/grid/kubernetes.h"

#include <string.h>

#include "base/alloc.h"
#include "providers/kubernetes/member.h"
#include "providers/zos/object.h"
#include "providers/scheduler/demand.h"

#define MEMBER                                                                                     \
	GRID_REQUIRED("name", "string", "Letters, digits and _; unique in the cluster."),          \
		GRID_REQUIRED("node", "number", "Node it runs on."),                               \
		GRID_REQUIRED("disk_size", "number", "Size of its data disk in GB."),              \
		GRID_OPTIONAL("publicip", "bool", NULL, "Whether it has a public IPv4 address."),  \
		GRID_OPTIONAL("publicip6", "bool", NULL, "Whether it has a public IPv6 address."), \
		GRID_OPTIONAL("flist_checksum", "string", NULL, "What the content must hash to."), \
		GRID_COMPUTED("computedip", "string", "Public IPv4 address, or empty."),           \
		GRID_COMPUTED("computedip6", "string", "Public IPv6 address, or empty."),          \
		GRID_COMPUTED("ip", "string", "Private address."),                                 \
		GRID_REQUIRED("cpu", "number", "Virtual cores, 1 to 32."),                         \
		GRID_REQUIRED("memory", "number", "Memory in MB, from 256."),                      \
		GRID_OPTIONAL("planetary", "bool", "false", "Whether it has a planetary address."), \
		GRID_COMPUTED("planetary_ip", "string", "Planetary address, or empty."),           \
		GRID_OPTIONAL("mycelium_ip_seed", "string", NULL,                                  \
			"Accepted; nodes offer no mycelium."),                                     \
		GRID_COMPUTED("mycelium_ip", "string", "Empty: nodes offer no mycelium."),         \
		GRID_COMPUTED("console_url", "string", "Address and port of the console."),        \
		GRID_COMPUTED("network_name", "string", "That of the cluster."),                   \
		GRID_COMPUTED("ssh_key", "string", "That of the cluster."),                        \
		GRID_COMPUTED("token", "string", "That of the cluster.")

static struct provider_attribute master_attributes[] = {
	MEMBER,
	GRID_OPTIONAL("flist", "string", "\"" ZOS_K3S_FLIST "\"", "Content of the machine."),
	GRID_OPTIONAL("entrypoint", "string", "\"" ZOS_K3S_ENTRYPOINT "\"", "What it runs."),
};

static struct provider_attribute worker_attributes[] = {
	MEMBER,
	GRID_OPTIONAL("flist", "string", NULL, "Content of the machine; the cluster's by default."),
	GRID_OPTIONAL("entrypoint", "string", NULL, "What it runs; the cluster's by default."),
};

struct provider_schema grid_master_schema = {
	.attributes = master_attributes,
	.attribute_count = ZP_ARRAY_SIZE(master_attributes),
};

struct provider_schema grid_worker_schema = {
	.attributes = worker_attributes,
	.attribute_count = ZP_ARRAY_SIZE(worker_attributes),
};

static struct provider_attribute attributes[] = {
	GRID_ID,
	GRID_OPTIONAL("name", "string", NULL, "For people: letters, digits and _."),
	GRID_OPTIONAL("solution_type", "string", "\"\"", "For people."),
	GRID_COMPUTED("node_deployment_id", "map(number)", "A number for its part on each node."),
	GRID_OPTIONAL("network_name", "string", NULL, "Name of the network its machines are in."),
	GRID_OPTIONAL("flist", "string", NULL, "Content of all members that name none."),
	GRID_OPTIONAL("entrypoint", "string", NULL, "What members run that name nothing."),
	GRID_OPTIONAL("flist_checksum", "string", NULL, "What that content must hash to."),
	GRID_OPTIONAL("ssh_key", "string", "\"\"", "Public key that may log in to the members."),
	GRID_REQUIRED("token", "string", "What members show each other: letters and digits."),
	GRID_COMPUTED("nodes_ip_range", "map(string)", "The /24 of each node."),
	GRID_STATUS,
};

static struct provider_block blocks[] = {
	{ .name = "master", .nesting = PROVIDER_LIST, .min = 1, .max = 1, .schema = &grid_master_schema },
	{ .name = "workers", .nesting = PROVIDER_LIST, .schema = &grid_worker_schema },
};

static struct provider_schema schema = {
	.description = "A Kubernetes cluster: a master and workers on any nodes of a network.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

static const char *const member_blocks[] = { "master", "workers", NULL };

/* ---- checks ---- */

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value network = provider_get(config, "network_name");
	const char *token = provider_get_text(config, "token");

	if (!provider_is_object(config))
		return;
	grid_check_name(problems, config, "name");
	if (token && !zos_cluster_token_is_valid(token))
		provider_error(problems, "token", "Invalid token",
			"A token is made of letters and digits only, and not empty.");
	if (network.state == HCL_NULL || (network.state == HCL_KNOWN && !network.count))
		provider_error(problems, NULL, "Cluster without a network",
			"A cluster names the network its machines are in: network_name = "
			"grid_network.NAME.name");
	grid_vms_check(problems, config, "master");
	grid_vms_check(problems, config, "workers");
	grid_check_unique(problems, config, member_blocks);
}

/* ---- plan ---- */

const char **grid_member_nodes(struct zp_arena *arena, struct hcl_value values, size_t *count)
{
	size_t room = 0;

	*count = 0;
	for (const char *const *block = member_blocks; *block; block++)
		room += provider_get(values, *block).count;
	const char **nodes = zp_new_array(arena, const char *, room);
	for (const char *const *block = member_blocks; *block; block++) {
		struct hcl_value members = provider_get(values, *block);
		for (uint32_t i = 0; members.state == HCL_KNOWN && i < members.count; i++) {
			const char *node =
				grid_node_text(arena, provider_get(members.elements[i], "node"));
			size_t known = 0;
			while (node && known < *count && strcmp(nodes[known], node) != 0)
				known++;
			if (node && known == *count)
				nodes[(*count)++] = node;
		}
	}
	return nodes;
}

static bool same_network(const struct provider_plan *plan)
{
	return hcl_value_identical(provider_get(plan->prior, "network_name"),
		provider_get(plan->planned, "network_name"));
}

static struct hcl_value plan_member(struct provider_plan *plan, const struct provider_schema *member,
	struct hcl_value planned, struct hcl_value config, struct hcl_value before)
{
	static const char *const shared[] = { "network_name", "ssh_key", "token" };
	struct provider_builder builder;
	bool moves = provider_is_object(before) &&
		     (!same_network(plan) || !hcl_value_identical(provider_get(before, "node"),
						     provider_get(planned, "node")));
	struct hcl_value value =
		grid_vm_plan(plan->arena, member, planned, config, before, moves);

	if (value.state != HCL_KNOWN)
		return value;
	provider_build(&builder, plan->arena, member, value);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(shared); i++)
		provider_build_set(&builder, shared[i], provider_get(plan->planned, shared[i]));
	return provider_built(&builder);
}

static void check_growth(struct provider_plan *plan, const char *block, struct hcl_value planned,
	struct hcl_value before)
{
	int64_t had = provider_is_object(before) ? provider_get_int(before, "disk_size", 0) : 0;
	int64_t size = provider_get_int(planned, "disk_size", had);

	if (size < had && hcl_value_identical(
				  provider_get(before, "node"), provider_get(planned, "node")))
		provider_error(&plan->problems, block, "A disk can not shrink",
			"The disk of %s has %lld GB and can not be made %lld GB without losing data.",
			provider_get_text(planned, "name"), (long long)had, (long long)size);
}

static struct hcl_value plan_members(
	struct provider_plan *plan, const char *block, const struct provider_schema *member)
{
	struct hcl_value planned = provider_get(plan->planned, block);
	struct hcl_value config = provider_get(plan->config, block);
	struct hcl_value had = provider_get(plan->prior, block);

	if (planned.state != HCL_KNOWN || config.state != HCL_KNOWN)
		return planned;
	struct hcl_value *members = zp_new_array(plan->arena, struct hcl_value, planned.count);
	for (uint32_t i = 0; i < planned.count; i++) {
		struct hcl_value before =
			grid_element(had, provider_get_text(planned.elements[i], "name"));
		check_growth(plan, block, planned.elements[i], before);
		members[i] = plan_member(
			plan, member, planned.elements[i], config.elements[i], before);
	}
	return hcl_list_value(member->type, members, planned.count);
}

static bool members_known(struct hcl_value values)
{
	for (const char *const *block = member_blocks; *block; block++) {
		struct hcl_value members = provider_get(values, *block);
		if (members.state != HCL_KNOWN)
			return false;
		for (uint32_t i = 0; i < members.count; i++)
			if (!hcl_is_wholly_known(provider_get(members.elements[i], "node")))
				return false;
	}
	return true;
}

static bool has_range_of_each(struct hcl_value ranges, const char **nodes, size_t count)
{
	struct hcl_value range;

	for (size_t i = 0; i < count; i++)
		if (ranges.state != HCL_KNOWN || !hcl_map_lookup(ranges, zp_str(nodes[i]), &range))
			return false;
	return ranges.state == HCL_KNOWN && ranges.count == count;
}

static void plan_places(struct provider_plan *plan, struct provider_builder *builder)
{
	size_t count;
	const char **nodes = grid_member_nodes(plan->arena, plan->planned, &count);
	const char *id = zos_plan_is_new(plan) ? NULL : provider_get_text(plan->prior, "id");
	struct hcl_value ranges = provider_get(plan->prior, "nodes_ip_range");
	bool known = members_known(plan->planned);

	provider_build_set(builder, "node_deployment_id",
		grid_contracts(plan->arena, known ? id : NULL, nodes, count));
	provider_build_set(builder, "nodes_ip_range",
		known && same_network(plan) && has_range_of_each(ranges, nodes, count) ?
			ranges :
			hcl_unknown(hcl_map_type(hcl_string)));
	for (size_t i = 0; i < count; i++)
		zos_plan_node(plan, "master", nodes[i]);
}

static void plan_kubernetes(struct provider_plan *plan)
{
	struct provider_builder builder;

	if (plan->planned.state != HCL_KNOWN)
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "master", plan_members(plan, "master", &grid_master_schema));
	provider_build_set(&builder, "workers", plan_members(plan, "workers", &grid_worker_schema));
	provider_build_set(&builder, "status", hcl_string_static("ok"));
	plan_places(plan, &builder);
	plan->planned = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_composite_run(&grid_kubernetes_kind, instance, ops, count);
}

static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "clusters";
}

static void demand(struct hcl_value object, void (*add)(void *data, const struct provider_demand *demand),
	void *data)
{
	static const char *const kinds[] = { "master", "workers" };

	for (size_t k = 0; k < ZP_ARRAY_SIZE(kinds); k++) {
		struct hcl_value members = provider_get(object, kinds[k]);
		for (uint32_t i = 0; members.state == HCL_KNOWN && i < members.count; i++) {
			char node[24];
			zos_demand_machine(&(struct zos_demand){ add, data }, members.elements[i],
				zos_demand_node(provider_get(members.elements[i], "node"), node),
				ZOS_K3S_LEAST_ROOT_MB, "publicip");
		}
	}
}

const struct provider_resource_type provider_grid_kubernetes = {
	.name = "grid_kubernetes",
	.schema = &schema,
	.spans_nodes = true,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_kubernetes,
	.run = run,
	.batch_key = batch_key,
	.demand = demand,
};
