/*
 * zos_kubernetes: its schema, checks and plan. A master and workers on any nodes of a network, each
 * a machine with a data disk and an environment that says what it is (member.h).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "providers/builtin.h"
#include "providers/kubernetes/cluster.h"
#include "providers/zos/checks.h"
#include "providers/zos/object.h"
#include "providers/zos/specs.h"
#include "providers/scheduler/demand.h"

#define GIVEN(attribute, kind, with, standard, text)                                               \
	{                                                                                          \
		.name = attribute, .type = kind, .flags = with, .default_value = standard,         \
		.description = text                                                                \
	}
#define TOLD(attribute, text) GIVEN(attribute, "string", PROVIDER_COMPUTED, NULL, text)

#define MEMBER                                                                                     \
	GIVEN("name", "string", PROVIDER_REQUIRED, NULL,                                           \
		"Letters, digits and _; unique in the cluster."),                                  \
		GIVEN("node", "string", PROVIDER_REQUIRED, NULL,                                   \
			"Node it runs on: a name or number of the inventory."),                    \
		GIVEN("disk_size", "number", PROVIDER_REQUIRED, NULL,                              \
			"Size of its data disk in GB; it may grow."),                              \
		GIVEN("cpu", "number", PROVIDER_OPTIONAL, "1", "Virtual cores, 1 to 32."),         \
		GIVEN("memory", "number", PROVIDER_OPTIONAL, "1024", "Memory in MB."),             \
		GIVEN("rootfs_size", "number", PROVIDER_OPTIONAL, "2048",                          \
			"Size of its root file system in MB."),                                    \
		GIVEN("flist", "string", PROVIDER_OPTIONAL, NULL,                                  \
			"Content of the machine; the cluster's by default."),                      \
		GIVEN("flist_checksum", "string", PROVIDER_OPTIONAL, NULL,                         \
			"What the content must hash to."),                                         \
		GIVEN("entrypoint", "string", PROVIDER_OPTIONAL, NULL,                             \
			"What it runs; the cluster's by default."),                                \
		GIVEN("public_ipv4", "bool", PROVIDER_OPTIONAL, "false",                           \
			"Whether it has a public IPv4 address."),                                  \
		GIVEN("public_ipv6", "bool", PROVIDER_OPTIONAL, "false",                           \
			"Whether it has a public IPv6 address."),                                  \
		GIVEN("planetary", "bool", PROVIDER_OPTIONAL, "false",                             \
			"Whether it has a planetary address."),                                    \
		TOLD("ip", "Private address."),                                                    \
		TOLD("public_ip", "Public IPv4 address with its prefix."),                         \
		TOLD("public_ip6", "Public IPv6 address with its prefix."),                        \
		TOLD("planetary_ip", "Planetary address."),                                        \
		TOLD("console_url", "Address and port of the console, inside the network.")

static struct provider_attribute master_attributes[] = { MEMBER };
static struct provider_attribute worker_attributes[] = { MEMBER };

struct provider_schema zos_cluster_master_schema = {
	.attributes = master_attributes,
	.attribute_count = ZP_ARRAY_SIZE(master_attributes),
};

struct provider_schema zos_cluster_worker_schema = {
	.attributes = worker_attributes,
	.attribute_count = ZP_ARRAY_SIZE(worker_attributes),
};

static struct provider_attribute attributes[] = {
	ZOS_ID,
	GIVEN("network", "string", PROVIDER_REQUIRED | PROVIDER_FORCE_NEW, NULL,
		"Id of the zos_network its machines are in, which is on all their nodes."),
	GIVEN("token", "string", PROVIDER_REQUIRED | PROVIDER_SENSITIVE, NULL,
		"What members show each other: letters and digits."),
	GIVEN("ssh_key", "string", PROVIDER_OPTIONAL, NULL,
		"Public key that may log in to the members."),
	GIVEN("flist", "string", PROVIDER_OPTIONAL, "\"" ZOS_K3S_FLIST "\"",
		"Content of all members that name none."),
	GIVEN("flist_checksum", "string", PROVIDER_OPTIONAL, NULL,
		"What that content must hash to."),
	GIVEN("entrypoint", "string", PROVIDER_OPTIONAL, "\"" ZOS_K3S_ENTRYPOINT "\"",
		"What members run that name nothing."),
	GIVEN("description", "string", PROVIDER_OPTIONAL, NULL, "For people; nodes do not see it."),
	GIVEN("nodes", "list(string)", PROVIDER_COMPUTED, NULL,
		"Names of the nodes that something of it is on."),
	GIVEN("kubeconfig", "string", PROVIDER_COMPUTED | PROVIDER_SENSITIVE, NULL,
		"Configuration for kubectl, as soon as the master has written one."),
	ZOS_STATUS,
};

static struct provider_block blocks[] = {
	{ .name = "master",
		.nesting = PROVIDER_LIST,
		.min = 1,
		.max = 1,
		.schema = &zos_cluster_master_schema },
	{ .name = "workers", .nesting = PROVIDER_LIST, .schema = &zos_cluster_worker_schema },
};

static struct provider_schema schema = {
	.description = "A Kubernetes cluster: a master and workers on any nodes of a network.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

const char *const zos_cluster_blocks[] = { "master", "workers", NULL };

struct hcl_value zos_cluster_find(struct hcl_value members, const char *name)
{
	for (uint32_t i = 0; name && members.state == HCL_KNOWN && i < members.count; i++) {
		const char *other = provider_get_text(members.elements[i], "name");
		if (other && strcmp(other, name) == 0)
			return members.elements[i];
	}
	return hcl_null(hcl_dynamic);
}

const char *zos_cluster_chosen(struct hcl_value cluster, struct hcl_value member,
	const char *attribute, const char *standard)
{
	const char *own = provider_get_text(member, attribute);
	const char *all = provider_get_text(cluster, attribute);

	return own && *own ? own : all && *all ? all : standard;
}

/* ---- checks ---- */

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 36 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       len;
}

static void check_number(struct provider_problems *problems, const char *block,
	struct hcl_value member, const char *attribute, int64_t from, int64_t to)
{
	struct hcl_value value = provider_get(member, attribute);
	const char *name = provider_get_text(member, "name");
	int64_t number;

	if (value.state != HCL_KNOWN)
		return;
	if (!hcl_number_to_int(value, &number) || number < from || number > to)
		provider_error(problems, block, "Number out of range",
			"%s of %s must be a whole number from %lld to %lld.", attribute,
			name ? name : "a member", (long long)from, (long long)to);
}

static void check_root(
	struct provider_problems *problems, const char *block, struct hcl_value member)
{
	int64_t least = zos_machine_least_root(
		provider_get_int(member, "cpu", 1), provider_get_int(member, "memory", 1024));
	struct hcl_value value = provider_get(member, "rootfs_size");
	int64_t size = provider_get_int(member, "rootfs_size", 2048);

	if (value.state != HCL_UNKNOWN && size < least)
		provider_error(problems, block, "Root file system too small",
			"A machine with this many cores and this much memory needs a rootfs_size "
			"of "
			"%lld MB at least.",
			(long long)least);
}

static void check_member(struct provider_problems *problems, struct zp_map *names,
	const char *block, struct hcl_value member)
{
	const char *name = provider_get_text(member, "name");

	if (name && !is_name(name))
		provider_error(problems, block, "Invalid name",
			"\"%s\" is not a member's name: 1 to 36 letters, digits and _.", name);
	if (name && zp_map_set(names, zp_str(name), names))
		provider_error(problems, block, "Name used twice",
			"Two members of the cluster are called \"%s\". Names are unique in a "
			"cluster.",
			name);
	check_number(problems, block, member, "disk_size", 1, 10 * 1024);
	check_number(problems, block, member, "cpu", 1, 32);
	check_number(problems, block, member, "memory", 250, 256 * 1024);
	check_number(problems, block, member, "rootfs_size", 500, 10 * 1024 * 1024);
	check_root(problems, block, member);
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	const char *token = provider_get_text(config, "token");
	struct zp_map names = { 0 };

	if (!provider_is_object(config))
		return;
	zos_check_reference(problems, config, "network", "zos_network");
	if (token && !zos_cluster_token_is_valid(token))
		provider_error(problems, "token", "Invalid token",
			"A token is made of letters and digits only, and not empty.");
	for (const char *const *block = zos_cluster_blocks; *block; block++) {
		struct hcl_value members = provider_get(config, *block);
		for (uint32_t i = 0; members.state == HCL_KNOWN && i < members.count; i++)
			if (provider_is_object(members.elements[i]))
				check_member(problems, &names, *block, members.elements[i]);
	}
	zp_map_release(&names);
}

/* ---- plan ---- */

static bool same(struct hcl_value a, struct hcl_value b, const char *attribute)
{
	return hcl_value_identical(provider_get(a, attribute), provider_get(b, attribute));
}

static bool same_choice(const struct provider_plan *plan, struct hcl_value before,
	struct hcl_value member, const char *attribute)
{
	/* One that is not known yet may turn out otherwise. */
	if (!hcl_is_wholly_known(provider_get(member, attribute)) ||
		!hcl_is_wholly_known(provider_get(plan->planned, attribute)))
		return false;
	return strcmp(zos_cluster_chosen(plan->prior, before, attribute, ""),
		       zos_cluster_chosen(plan->planned, member, attribute, "")) == 0;
}

/* Whether the member's machine stays the one it is. */
static bool stays(
	const struct provider_plan *plan, struct hcl_value before, struct hcl_value member)
{
	return provider_is_object(before) && !plan->replace_count && same(before, member, "node") &&
	       same(before, member, "rootfs_size") && same_choice(plan, before, member, "flist") &&
	       same_choice(plan, before, member, "flist_checksum");
}

static struct hcl_value plan_member(struct provider_plan *plan,
	const struct provider_schema *member, struct hcl_value planned, struct hcl_value before)
{
	static const struct {
		const char *told, *with; /* it changes with the attribute too */
	} computed[] = { { "ip", NULL }, { "console_url", NULL }, { "public_ip", "public_ipv4" },
		{ "public_ip6", "public_ipv6" }, { "planetary_ip", "planetary" } };
	struct provider_builder builder;
	bool remains;

	if (!provider_is_object(planned))
		return planned;
	remains = stays(plan, before, planned);
	provider_build(&builder, plan->arena, member, planned);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(computed); i++)
		provider_build_set(&builder, computed[i].told,
			remains && (!computed[i].with || same(before, planned, computed[i].with))
				? provider_get(before, computed[i].told)
				: hcl_unknown(hcl_string));
	return provider_built(&builder);
}

static void check_growth(struct provider_plan *plan, const char *block, struct hcl_value planned,
	struct hcl_value before)
{
	int64_t had = provider_is_object(before) ? provider_get_int(before, "disk_size", 0) : 0;
	int64_t size = provider_get_int(planned, "disk_size", had);

	if (size < had && same(before, planned, "node") && !plan->replace_count)
		provider_error(&plan->problems, block, "A disk can not shrink",
			"The disk of %s has %lld GB and can not be made %lld GB without losing "
			"data.",
			provider_get_text(planned, "name"), (long long)had, (long long)size);
}

static struct hcl_value plan_members(
	struct provider_plan *plan, const char *block, const struct provider_schema *member)
{
	struct hcl_value planned = provider_get(plan->planned, block);
	struct hcl_value had = provider_get(plan->prior, block);

	if (planned.state != HCL_KNOWN)
		return planned;
	struct hcl_value *members = zp_new_array(plan->arena, struct hcl_value, planned.count);
	for (uint32_t i = 0; i < planned.count; i++) {
		struct hcl_value before =
			zos_cluster_find(had, provider_get_text(planned.elements[i], "name"));
		check_growth(plan, block, planned.elements[i], before);
		if (!provider_is_object(before) || !same(before, planned.elements[i], "node"))
			zos_plan_node(plan, block, provider_get_text(planned.elements[i], "node"));
		members[i] = plan_member(plan, member, planned.elements[i], before);
	}
	return hcl_list_value(member->type, members, planned.count);
}

/* Whether the members of the values are on the nodes that those of the prior object are on. */
static bool same_nodes(const struct provider_plan *plan)
{
	for (const char *const *block = zos_cluster_blocks; *block; block++) {
		struct hcl_value had = provider_get(plan->prior, *block);
		struct hcl_value members = provider_get(plan->planned, *block);
		if (had.state != HCL_KNOWN || members.state != HCL_KNOWN ||
			had.count != members.count)
			return false;
		for (uint32_t i = 0; i < members.count; i++)
			if (!same(had.elements[i], members.elements[i], "node"))
				return false;
	}
	return !plan->replace_count && provider_has(plan->prior, "nodes");
}

static void plan_cluster(struct provider_plan *plan)
{
	struct provider_builder builder;

	if (plan->planned.state != HCL_KNOWN)
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(
		&builder, "master", plan_members(plan, "master", &zos_cluster_master_schema));
	provider_build_set(
		&builder, "workers", plan_members(plan, "workers", &zos_cluster_worker_schema));
	provider_build_set(&builder, "nodes",
		same_nodes(plan) ? provider_get(plan->prior, "nodes")
				 : hcl_unknown(hcl_list_type(hcl_string)));
	provider_build_set(&builder, "status", hcl_string_static("ok"));
	plan->planned = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_composite_run(&zos_kubernetes_kind, instance, ops, count);
}

static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "clusters";
}

static void demand(struct hcl_value object,
	void (*add)(void *data, const struct provider_demand *demand), void *data)
{
	for (const char *const *block = zos_cluster_blocks; *block; block++) {
		struct hcl_value members = provider_get(object, *block);
		for (uint32_t i = 0; members.state == HCL_KNOWN && i < members.count; i++)
			zos_demand_machine(&(struct zos_demand){ add, data }, members.elements[i],
				provider_get_text(members.elements[i], "node"),
				ZOS_K3S_LEAST_ROOT_MB, "public_ipv4");
	}
}

const struct provider_resource_type provider_zos_kubernetes = {
	.name = "zos_kubernetes",
	.schema = &schema,
	.spans_nodes = true,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_cluster,
	.run = run,
	.batch_key = batch_key,
	.demand = demand,
};
