#include <string.h>

#include "base/alloc.h"
#include "providers/grid/deployment.h"
#include "providers/zos/checks.h"

#define MAX_DISK_GB (10 * 1024)

static struct provider_attribute disk_attributes[] = {
	GRID_REQUIRED("name", "string", "Machines mount it by this: letters, digits and _."),
	GRID_REQUIRED("size", "number", "Size in GB. May grow, never shrink."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people; nodes do not see it."),
};

struct provider_schema grid_disk_schema = {
	.attributes = disk_attributes,
	.attribute_count = ZP_ARRAY_SIZE(disk_attributes),
};

static struct provider_attribute zdb_attributes[] = {
	GRID_REQUIRED("name", "string", "Letters, digits and _."),
	GRID_REQUIRED("password", "string", "Password of the namespace."),
	GRID_OPTIONAL("public", "bool", "false", "Whether it can be read without the password."),
	GRID_REQUIRED("size", "number", "Size in GB."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people."),
	{ .name = "mode",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED,
		.description = "\"user\" or \"seq\"." },
	GRID_COMPUTED("ips", "list(string)", "Addresses of the store."),
	GRID_COMPUTED("namespace", "string", "Name of the namespace."),
	GRID_COMPUTED("port", "number", "Port of the store."),
};

static struct provider_schema zdb_schema = {
	.attributes = zdb_attributes,
	.attribute_count = ZP_ARRAY_SIZE(zdb_attributes),
};

static struct provider_attribute mount_attributes[] = {
	GRID_REQUIRED("name", "string", "Name of a disk of this deployment."),
	GRID_REQUIRED("mount_point", "string", "Folder in the machine, an absolute path."),
};

struct provider_schema grid_mount_schema = {
	.attributes = mount_attributes,
	.attribute_count = ZP_ARRAY_SIZE(mount_attributes),
};

static struct provider_block vm_blocks[] = {
	{ .name = "mounts", .nesting = PROVIDER_LIST, .schema = &grid_mount_schema },
};

static struct provider_attribute vm_attributes[] = {
	GRID_REQUIRED("name", "string", "Letters, digits and _."),
	GRID_OPTIONAL("node", "number", NULL, "Accepted; the deployment's node counts."),
	GRID_REQUIRED("flist", "string", "Content of the machine: an http, https or file URL."),
	GRID_OPTIONAL("flist_checksum", "string", NULL, "What the content must hash to."),
	GRID_OPTIONAL("publicip", "bool", NULL, "Whether it has a public IPv4 address."),
	GRID_OPTIONAL("publicip6", "bool", NULL, "Whether it has a public IPv6 address."),
	GRID_COMPUTED("computedip", "string", "Public IPv4 address with its prefix, or empty."),
	GRID_COMPUTED("computedip6", "string", "Public IPv6 address with its prefix, or empty."),
	{ .name = "ip",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED,
		.description = "Private address; by default the next free one of the node's /24." },
	GRID_OPTIONAL("mycelium_ip_seed", "string", NULL, "Accepted; nodes offer no mycelium."),
	GRID_COMPUTED("mycelium_ip", "string", "Empty: nodes offer no mycelium."),
	GRID_OPTIONAL("cpu", "number", "1", "Virtual cores, 1 to 32."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people; nodes do not see it."),
	GRID_OPTIONAL("memory", "number", NULL, "Memory in MB, from 256; 256 when not given."),
	GRID_OPTIONAL("rootfs_size", "number", NULL,
		"Size of the root file system in MB, from 1024; by default what the machine needs."),
	GRID_OPTIONAL("entrypoint", "string", NULL, "Command line the machine runs."),
	GRID_OPTIONAL("env_vars", "map(string)", NULL, "Environment of the entrypoint."),
	GRID_OPTIONAL("planetary", "bool", "false", "Whether it has a planetary address."),
	GRID_OPTIONAL("corex", "bool", "false", "Serve a console instead of the entrypoint."),
	GRID_COMPUTED("planetary_ip", "string", "Planetary address, or empty."),
	GRID_OPTIONAL("zlogs", "list(string)", NULL,
		"Where its console goes: redis://, ws:// or wss:// URLs."),
	GRID_OPTIONAL("gpus", "list(string)", NULL, "Accepted; nodes have none to give."),
	GRID_COMPUTED("console_url", "string", "Address and port of the console."),
};

struct provider_schema grid_vm_schema = {
	.attributes = vm_attributes,
	.attribute_count = ZP_ARRAY_SIZE(vm_attributes),
	.blocks = vm_blocks,
	.block_count = ZP_ARRAY_SIZE(vm_blocks),
};

static struct provider_attribute backend_attributes[] = {
	GRID_REQUIRED("address", "string", "Address and port of a zdb."),
	GRID_REQUIRED("namespace", "string", "Its namespace."),
	GRID_REQUIRED("password", "string", "The namespace's password."),
};

static struct provider_schema backend_schema = {
	.attributes = backend_attributes,
	.attribute_count = ZP_ARRAY_SIZE(backend_attributes),
};

static struct provider_block backends_block[] = {
	{ .name = "backends", .nesting = PROVIDER_LIST, .schema = &backend_schema },
};

static struct provider_attribute metadata_attributes[] = {
	GRID_OPTIONAL("type", "string", "\"zdb\"", "Kind of store."),
	GRID_REQUIRED("prefix", "string", "Prefix of the keys."),
	GRID_OPTIONAL("encryption_algorithm", "string", "\"AES\"", "How metadata is encrypted."),
	GRID_REQUIRED("encryption_key", "string", "Key, in hexadecimal."),
};

static struct provider_schema metadata_schema = {
	.attributes = metadata_attributes,
	.attribute_count = ZP_ARRAY_SIZE(metadata_attributes),
	.blocks = backends_block,
	.block_count = ZP_ARRAY_SIZE(backends_block),
};

static struct provider_schema group_schema = {
	.blocks = backends_block,
	.block_count = ZP_ARRAY_SIZE(backends_block),
};

static struct provider_attribute qsfs_attributes[] = {
	GRID_REQUIRED("name", "string", "Letters, digits and _."),
	GRID_OPTIONAL("description", "string", "\"\"", "For people."),
	GRID_REQUIRED("cache", "number", "Size of the cache in MB."),
	GRID_REQUIRED("minimal_shards", "number", "So many shards restore the data."),
	GRID_REQUIRED("expected_shards", "number", "So many shards are written."),
	GRID_REQUIRED("redundant_groups", "number", "Groups that may be lost."),
	GRID_REQUIRED("redundant_nodes", "number", "Nodes of each group that may be lost."),
	GRID_REQUIRED("max_zdb_data_dir_size", "number", "Largest local data, in MB."),
	GRID_OPTIONAL("encryption_algorithm", "string", "\"AES\"", "How data is encrypted."),
	GRID_REQUIRED("encryption_key", "string", "Key, in hexadecimal."),
	GRID_OPTIONAL("compression_algorithm", "string", "\"snappy\"", "How data is compressed."),
	GRID_COMPUTED("metrics_endpoint", "string", "Where it tells its metrics."),
};

static struct provider_block qsfs_blocks[] = {
	{ .name = "metadata", .nesting = PROVIDER_LIST, .min = 1, .max = 1, .schema = &metadata_schema },
	{ .name = "groups", .nesting = PROVIDER_LIST, .min = 1, .schema = &group_schema },
};

static struct provider_schema qsfs_schema = {
	.attributes = qsfs_attributes,
	.attribute_count = ZP_ARRAY_SIZE(qsfs_attributes),
	.blocks = qsfs_blocks,
	.block_count = ZP_ARRAY_SIZE(qsfs_blocks),
};

static struct provider_attribute attributes[] = {
	GRID_ID,
	{ .name = "node",
		.type = "number",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "Node it runs on." },
	GRID_OPTIONAL("name", "string", "\"vm\"", "For people: letters, digits and _."),
	GRID_OPTIONAL("solution_type", "string", "\"\"", "For people."),
	GRID_OPTIONAL("solution_provider", "number", "0", "For people."),
	GRID_COMPUTED("ip_range", "string", "The node's /24 of the network."),
	GRID_OPTIONAL("network_name", "string", NULL, "Name of the network its machines are in."),
	GRID_STATUS,
};

static struct provider_block blocks[] = {
	{ .name = "disks", .nesting = PROVIDER_LIST, .schema = &grid_disk_schema },
	{ .name = "zdbs", .nesting = PROVIDER_LIST, .schema = &zdb_schema },
	{ .name = "vms", .nesting = PROVIDER_LIST, .schema = &grid_vm_schema },
	{ .name = "qsfs", .nesting = PROVIDER_LIST, .schema = &qsfs_schema },
};

struct provider_schema grid_deployment_schema = {
	.description = "Disks and machines on one node.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

/* ---- checks ---- */

static void check_disks(struct provider_problems *problems, struct hcl_value config)
{
	struct hcl_value disks = provider_get(config, "disks");

	for (uint32_t i = 0; disks.state == HCL_KNOWN && i < disks.count; i++) {
		size_t first = problems->count;
		grid_check_name(problems, disks.elements[i], "name");
		zos_check_int(problems, disks.elements[i], "size", 1, MAX_DISK_GB, "GB");
		grid_problems_in(problems, first, "disks", i);
	}
}

static void check_names(
	struct provider_problems *problems, struct hcl_value config, const char *block)
{
	struct hcl_value list = provider_get(config, block);

	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
		size_t first = problems->count;
		grid_check_name(problems, list.elements[i], "name");
		grid_check_whole(problems, list.elements[i], "size");
		grid_problems_in(problems, first, block, i);
	}
}

/* Whether a list of blocks may yet come to hold one of that name. */
static bool may_have(struct hcl_value list, const char *name)
{
	if (list.state == HCL_UNKNOWN)
		return true;
	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
		struct hcl_value have = provider_get(list.elements[i], "name");
		if (list.elements[i].state == HCL_UNKNOWN || have.state == HCL_UNKNOWN ||
			(have.state == HCL_KNOWN && strcmp(have.text, name) == 0))
			return true;
	}
	return false;
}

static void check_mounts_of(
	struct provider_problems *problems, struct hcl_value config, struct hcl_value vm)
{
	struct hcl_value mounts = provider_get(vm, "mounts");

	for (uint32_t i = 0; mounts.state == HCL_KNOWN && i < mounts.count; i++) {
		const char *name = provider_get_text(mounts.elements[i], "name");
		size_t first = problems->count;
		if (!name || may_have(provider_get(config, "disks"), name) ||
			may_have(provider_get(config, "qsfs"), name))
			continue;
		provider_error(problems, "name", "No such disk",
			"This deployment has no disk called \"%s\" to mount.", name);
		grid_problems_in(problems, first, "mounts", i);
	}
}

static void check_vms(struct provider_problems *problems, struct hcl_value config)
{
	struct hcl_value vms = provider_get(config, "vms");
	struct hcl_value network = provider_get(config, "network_name");

	grid_vms_check(problems, config, "vms");
	for (uint32_t i = 0; vms.state == HCL_KNOWN && i < vms.count; i++) {
		size_t first = problems->count;
		check_mounts_of(problems, config, vms.elements[i]);
		grid_problems_in(problems, first, "vms", i);
	}
	bool none = network.state == HCL_NULL || (network.state == HCL_KNOWN && !network.count);
	if (vms.state == HCL_KNOWN && vms.count && none)
		provider_error(problems, NULL, "Machines without a network",
			"A deployment with vms names the network they are in: network_name = "
			"grid_network.NAME.name");
}

void grid_deployment_validate(struct hcl_value config, struct provider_problems *problems)
{
	static const char *const named[] = { "disks", "zdbs", "vms", "qsfs", NULL };

	if (!provider_is_object(config))
		return;
	grid_check_name(problems, config, "name");
	grid_check_whole(problems, config, "node");
	check_disks(problems, config);
	check_names(problems, config, "zdbs");
	check_names(problems, config, "qsfs");
	check_vms(problems, config);
	grid_check_unique(problems, config, named);
}
