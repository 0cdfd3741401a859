/*
 * zos_machine: a machine on one node, in one private network, realised by a zmachine workload.
 */
#include "providers/builtin.h"
#include "providers/scheduler/demand.h"
#include "providers/machine/spec.h"
#include "providers/zos/checks.h"
#include "providers/zos/object.h"
#include "providers/zos/planetary.h"
#include "providers/zos/specs.h"

#define MEGABYTE (INT64_C(1) << 20)
#define MAX_MEMORY_MB (256 * 1024)
#define MIN_MEMORY_MB 250
#define MAX_ROOTFS_MB (10 * 1024 * 1024)
#define MIN_ROOTFS_MB 500
#define MAX_CORES 32

static struct provider_attribute mount_attributes[] = {
	{ .name = "disk",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Id of a zos_disk on the same node." },
	{ .name = "mount_point",
		.type = "string",
		.flags = PROVIDER_REQUIRED,
		.description = "Folder in the machine, an absolute path." },
};

static struct provider_schema mount_schema = {
	.attributes = mount_attributes,
	.attribute_count = ZP_ARRAY_SIZE(mount_attributes),
};

static struct provider_attribute attributes[] = {
	ZOS_ID,
	ZOS_NODE,
	{ .name = "flist",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "Content of the machine: an http, https or file URL." },
	{ .name = "flist_checksum",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.description = "What the content must hash to: SHA-256 or MD5 in hexadecimal." },
	{ .name = "network",
		.type = "string",
		.flags = PROVIDER_REQUIRED | PROVIDER_FORCE_NEW,
		.description = "Id of the zos_network it is in." },
	{ .name = "ip",
		.type = "string",
		.flags = PROVIDER_OPTIONAL | PROVIDER_COMPUTED | PROVIDER_FORCE_NEW,
		.description =
			"Private address; by default the next free one of the node's subnet." },
	{ .name = "public_ip",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "Id of a zos_ip of the same node, for this machine alone." },
	{ .name = "planetary",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "false",
		.description = "Whether it has an address in the planetary network." },
	{ .name = "cpu",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "1",
		.description = "Virtual cores, 1 to 32." },
	{ .name = "memory",
		.type = "number",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "256",
		.description = "Memory in MB (2^20 bytes), at least 250." },
	{ .name = "rootfs_size",
		.type = "number",
		.flags = PROVIDER_OPTIONAL | PROVIDER_FORCE_NEW,
		.default_value = "500",
		.description =
			"Size of the root file system in MB; at least 500, or 2048 for a large "
			"machine (cpu times GB of memory is 8 or more)." },
	{ .name = "entrypoint",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "Command line the machine runs." },
	{ .name = "env",
		.type = "map(string)",
		.flags = PROVIDER_OPTIONAL,
		.description = "Environment of the entrypoint." },
	{ .name = "corex",
		.type = "bool",
		.flags = PROVIDER_OPTIONAL,
		.default_value = "false",
		.description =
			"Serve a console on the private address instead of the entrypoint." },
	{ .name = "description",
		.type = "string",
		.flags = PROVIDER_OPTIONAL,
		.description = "For people; nodes do not see it." },
	{ .name = "public_address",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "Public IPv4 address with its prefix; null without one." },
	{ .name = "public_address6",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "Public IPv6 address; null without one." },
	{ .name = "planetary_ip",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "IPv6 address in the planetary network; null without one." },
	{ .name = "console_url",
		.type = "string",
		.flags = PROVIDER_COMPUTED,
		.description = "Address and port of the console, inside the private network." },
	ZOS_STATUS,
};

static struct provider_block blocks[] = {
	{ .name = "mounts", .nesting = PROVIDER_LIST, .schema = &mount_schema },
};

static struct provider_schema schema = {
	.description = "A virtual machine on one node, in one private network.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

static void check_content(struct hcl_value config, struct provider_problems *problems)
{
	const char *url = provider_get_text(config, "flist");
	if (url && !zp_str_starts(zp_str(url), "http://") &&
		!zp_str_starts(zp_str(url), "https://") && !zp_str_starts(zp_str(url), "file:///"))
		provider_error(problems, "flist", "Not a URL of content",
			"\"flist\" begins with http://, https:// or file:/// (and an absolute "
			"path), not "
			"\"%s\".",
			url);
	const char *checksum = provider_get_text(config, "flist_checksum");
	size_t len = checksum ? strlen(checksum) : 0;
	if (checksum &&
		((len != 32 && len != 64) || strspn(checksum, "0123456789abcdefABCDEF") != len))
		provider_error(problems, "flist_checksum", "Not a checksum",
			"\"flist_checksum\" is a SHA-256 (64) or MD5 (32 hexadecimal digits).");
}

/* A number the configuration leaves out has its default; -1 while it is unknown. */
static int64_t number_or(struct hcl_value config, const char *name, int64_t fallback)
{
	struct hcl_value value = provider_get(config, name);
	return provider_get_int(config, name, value.state == HCL_NULL ? fallback : -1);
}

static void check_size(struct hcl_value config, struct provider_problems *problems)
{
	size_t errors = problems->errors;
	zos_check_int(problems, config, "cpu", 1, MAX_CORES, "cores");
	zos_check_int(problems, config, "memory", MIN_MEMORY_MB, MAX_MEMORY_MB, "MB");
	zos_check_int(problems, config, "rootfs_size", MIN_ROOTFS_MB, MAX_ROOTFS_MB, "MB");
	int64_t cores = number_or(config, "cpu", 1), memory = number_or(config, "memory", 256);
	int64_t root = number_or(config, "rootfs_size", MIN_ROOTFS_MB);
	if (problems->errors > errors || cores < 0 || memory < 0 || root < 0)
		return;
	int64_t least = zos_machine_least_root(cores, memory);
	if (root < least)
		provider_error(problems, "rootfs_size", "Root file system too small",
			"A machine of %lld cores and %lld MB needs a root file system of at least "
			"%lld MB: "
			"\"rootfs_size\" is %lld.",
			(long long)cores, (long long)memory, (long long)least, (long long)root);
}

static void check_environment(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value env = provider_get(config, "env");
	if (env.state != HCL_KNOWN)
		return;
	for (uint32_t i = 0; i < env.count; i++) {
		struct zp_str key = env.entries[i].key;
		struct hcl_value value = env.entries[i].value;
		if (!key.len || memchr(key.ptr, '=', key.len) || memchr(key.ptr, '\0', key.len))
			provider_error(problems, "env", "Invalid environment",
				"\"%.*s\" can not be the name of an environment variable.",
				ZP_FMT(key));
		else if (value.state == HCL_NULL)
			provider_error(problems, "env", "Invalid environment",
				"The value of \"%.*s\" is null. Leave the variable out instead.",
				ZP_FMT(key));
		else if (value.state == HCL_KNOWN && memchr(value.text, '\0', value.count))
			provider_error(problems, "env", "Invalid environment",
				"The value of \"%.*s\" contains a NUL character.", ZP_FMT(key));
	}
}

static bool is_mount_point(const char *path)
{
	size_t len = strlen(path);
	return len >= 2 && len < 4096 && path[0] == '/' && !strstr(path, "//") &&
	       !strstr(path, "/../") && !zp_str_ends(zp_str(path), "/..") &&
	       strcspn(path, " \t\r\n:,") == len;
}

static void check_mounts(struct hcl_value config, struct provider_problems *problems)
{
	struct hcl_value mounts = provider_get(config, "mounts");
	if (mounts.state != HCL_KNOWN)
		return;
	for (uint32_t i = 0; i < mounts.count; i++) {
		const char *path = provider_get_text(mounts.elements[i], "mount_point");
		const char *disk = provider_get_text(mounts.elements[i], "disk");
		zos_check_reference(problems, mounts.elements[i], "disk", "zos_disk");
		if (path && !is_mount_point(path))
			provider_error(problems, "mounts", "Invalid mount point",
				"\"mount_point\" is an absolute path of a folder other than /, "
				"without "
				"white space, as \"/data\", not \"%s\".",
				path);
		for (uint32_t j = 0; j < i; j++) {
			const char *other = provider_get_text(mounts.elements[j], "mount_point");
			const char *other_disk = provider_get_text(mounts.elements[j], "disk");
			if (path && other && !strcmp(path, other))
				provider_error(problems, "mounts", "Mount point used twice",
					"Two disks are to be mounted at \"%s\".", path);
			if (disk && other_disk && !strcmp(disk, other_disk))
				provider_error(problems, "mounts", "Disk mounted twice",
					"The disk %s is mounted twice in this machine.", disk);
		}
	}
}

static size_t take_mounts(
	struct zp_arena *arena, struct hcl_value mounts, struct zos_mount *out)
{
	size_t count = mounts.state == HCL_KNOWN ? mounts.count : 0;

	for (size_t i = 0; i < count; i++) {
		const char *disk = provider_get_text(mounts.elements[i], "disk");
		out[i].disk = disk ? zos_workload_id(arena, disk, "disk") : NULL;
		out[i].path = provider_get_text(mounts.elements[i], "mount_point");
	}
	return count;
}

static cJSON *machine_spec(struct zp_arena *arena, struct hcl_value values)
{
	struct hcl_value mounts = provider_get(values, "mounts");
	const char *network = provider_get_text(values, "network");
	const char *public = provider_get_text(values, "public_ip");
	struct zos_mount *list = zp_new_array(
		arena, struct zos_mount, mounts.state == HCL_KNOWN ? mounts.count : 0);
	struct zos_machine machine = {
		.flist = provider_get_text(values, "flist"),
		.checksum = provider_get_text(values, "flist_checksum"),
		.entrypoint = provider_get_text(values, "entrypoint"),
		.network = network ? zos_workload_id(arena, network, "net") : NULL,
		.ip = provider_get_text(values, "ip"),
		.public_ip = public ? zos_workload_id(arena, public, "ip") : NULL,
		.cpu = provider_get_int(values, "cpu", 1),
		.memory_mb = provider_get_int(values, "memory", ZOS_DEFAULT_MEMORY_MB),
		.rootfs_mb = provider_get_int(values, "rootfs_size", MIN_ROOTFS_MB),
		.env = provider_get(values, "env"),
		.corex = provider_get_bool(values, "corex", false),
		.planetary = provider_get_bool(values, "planetary", false),
		.mounts = list,
		.mount_count = take_mounts(arena, mounts, list),
	};

	return zos_machine_spec(&machine);
}

/* Harmless values in the place of those that are not known yet. */
static void fill_gaps(cJSON *spec)
{
	cJSON *mount,
		*interface = cJSON_GetArrayItem(
			cJSON_GetObjectItem(cJSON_GetObjectItem(spec, "network"), "interfaces"), 0);
	int number = 0;
	if (!cJSON_GetObjectItem(spec, "flist"))
		cJSON_AddStringToObject(spec, "flist", "file:///unknown");
	if (!cJSON_GetObjectItem(interface, "network"))
		cJSON_AddStringToObject(interface, "network", "unknown/net");
	cJSON_ArrayForEach(mount, cJSON_GetObjectItem(spec, "mounts"))
	{
		char text[32];
		snprintf(text, sizeof(text), "/unknown/%d", number++);
		if (!cJSON_GetObjectItem(mount, "name"))
			cJSON_AddStringToObject(mount, "name", text);
		if (!cJSON_GetObjectItem(mount, "mountpoint"))
			cJSON_AddStringToObject(mount, "mountpoint", text);
	}
}

/* The node's own check of a spec, made before any node is asked. */
static void check_as_node(struct hcl_value config, struct provider_problems *problems)
{
	static const char *const fields[] = { "flist", "mounts", "env", "entrypoint" };
	struct zp_arena arena;
	zp_arena_init(&arena);
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_machine_spec checked;
	cJSON *spec = machine_spec(&arena, config);
	fill_gaps(spec);
	if (!hcl_is_known(provider_get(config, "rootfs_size")))
		cJSON_SetNumberValue(
			cJSON_GetObjectItem(spec, "size"), (double)(MAX_ROOTFS_MB * MEGABYTE));
	if (!provider_machine_spec_read(spec, &checked, &err)) {
		provider_machine_spec_release(&checked);
	} else {
		const char *attribute = NULL;
		for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++)
			if (zp_str_starts(zp_str(err.message), fields[i]))
				attribute = fields[i];
		provider_error_from(problems, attribute, "Invalid machine", &err);
	}
	cJSON_Delete(spec);
	zp_arena_release(&arena);
}

static void validate(struct hcl_value config, struct provider_problems *problems)
{
	check_content(config, problems);
	check_size(config, problems);
	zos_check_reference(problems, config, "network", "zos_network");
	zos_check_ipv4(problems, config, "ip");
	zos_check_reference(problems, config, "public_ip", "zos_ip");
	check_environment(config, problems);
	check_mounts(config, problems);
	if (provider_is_object(config) && !problems->errors)
		check_as_node(config, problems);
}

/* "<id>/<part>" without the part. */
static struct hcl_value object_of(struct zp_arena *arena, const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
	const char *slash = text ? strrchr(text, '/') : NULL;
	return slash ? hcl_string_value(arena, zp_strn(text, (size_t)(slash - text)))
		     : hcl_null(hcl_string);
}

static struct hcl_value mounts_of(struct zp_arena *arena, const cJSON *spec)
{
	const cJSON *list = cJSON_GetObjectItem(spec, "mounts"), *item;
	size_t count = 0, room = (size_t)cJSON_GetArraySize(list);
	struct hcl_value *elements = zp_new_array(arena, struct hcl_value, room);
	cJSON_ArrayForEach(item, list)
	{
		struct provider_builder builder;
		provider_build(&builder, arena, &mount_schema, mount_schema.empty);
		provider_build_set(&builder, "disk", object_of(arena, item, "name"));
		provider_build_set(
			&builder, "mount_point", zos_json_text(arena, item, "mountpoint"));
		elements[count++] = provider_built(&builder);
	}
	return hcl_list_value(mount_schema.type, elements, count);
}

/* The address the machine has: what the node chose, else what it was told. */
static struct hcl_value address_of(struct zp_arena *arena, const cJSON *interface,
	const cJSON *result, struct hcl_value before)
{
	struct hcl_value ip = zos_json_text(arena, result, "ip");
	if (ip.state == HCL_NULL)
		ip = zos_json_text(arena, interface, "ip");
	return ip.state == HCL_NULL ? provider_get(before, "ip") : ip;
}

static void fill_text(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const char *name)
{
	provider_build_set(builder, name,
		zos_keep_empty(
			provider_get(before, name), zos_json_text(builder->arena, spec, name)));
}

static void fill(struct provider_builder *builder, struct hcl_value before, const cJSON *spec,
	const cJSON *result)
{
	struct zp_arena *arena = builder->arena;
	const cJSON *capacity = cJSON_GetObjectItem(spec, "compute_capacity");
	const cJSON *interface = cJSON_GetArrayItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(spec, "network"), "interfaces"), 0);
	fill_text(builder, before, spec, "flist");
	fill_text(builder, before, spec, "flist_checksum");
	fill_text(builder, before, spec, "entrypoint");
	provider_build_set(builder, "network", object_of(arena, interface, "network"));
	provider_build_set(builder, "ip", address_of(arena, interface, result, before));
	provider_build_set(builder, "cpu", hcl_int_value(zos_json_int(capacity, "cpu", 1)));
	provider_build_set(
		builder, "memory", hcl_int_value(zos_json_int(capacity, "memory", 0) / MEGABYTE));
	provider_build_set(
		builder, "rootfs_size", hcl_int_value(zos_json_int(spec, "size", 0) / MEGABYTE));
	provider_build_set(builder, "env",
		zos_keep_empty(provider_get(before, "env"), zos_json_map(arena, spec, "env")));
	provider_build_set(
		builder, "corex", hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(spec, "corex"))));
	provider_build_set(builder, "mounts", mounts_of(arena, spec));
	provider_build_set(builder, "public_ip",
		object_of(arena, cJSON_GetObjectItem(spec, "network"), "public_ip"));
	provider_build_set(builder, "public_address", zos_json_text(arena, result, "public_ip"));
	provider_build_set(builder, "public_address6", zos_json_text(arena, result, "public_ip6"));
	provider_build_set(builder, "planetary",
		hcl_bool_value(cJSON_IsTrue(cJSON_GetObjectItem(
			cJSON_GetObjectItem(spec, "network"), "planetary"))));
	provider_build_set(builder, "planetary_ip", zos_json_text(arena, result, "planetary_ip"));
	provider_build_set(builder, "console_url", zos_json_text(arena, result, "console_url"));
}

/* Public addresses follow public_ip: none without it, new ones with another. */
static void plan_public(struct provider_plan *plan)
{
	struct hcl_value wanted = provider_get(plan->planned, "public_ip");
	struct provider_builder builder;
	bool kept = !zos_plan_is_new(plan) &&
		    hcl_value_identical(wanted, provider_get(plan->prior, "public_ip"));
	struct hcl_value address = wanted.state == HCL_NULL ? hcl_null(hcl_string)
							     : hcl_unknown(hcl_string);
	if (kept || plan->planned.state != HCL_KNOWN)
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "public_address", address);
	provider_build_set(&builder, "public_address6", address);
	plan->planned = provider_built(&builder);
}

/* The same with the planetary address, and with nodes that have none to give. */
static void plan_planetary(struct provider_plan *plan)
{
	struct hcl_value wanted = provider_get(plan->planned, "planetary");
	bool is_wanted = provider_get_bool(plan->planned, "planetary", false);
	struct provider_builder builder;

	if (plan->planned.state != HCL_KNOWN ||
		(!zos_plan_is_new(plan) &&
			hcl_value_identical(wanted, provider_get(plan->prior, "planetary"))))
		return;
	if (is_wanted)
		zos_plan_planetary(
			plan, "planetary", provider_get_text(plan->planned, "node"));
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "planetary_ip",
		is_wanted || wanted.state == HCL_UNKNOWN ? hcl_unknown(hcl_string)
							  : hcl_null(hcl_string));
	plan->planned = provider_built(&builder);
}

static void plan_machine(struct provider_plan *plan)
{
	zos_object_plan(plan);
	plan_public(plan);
	plan_planetary(plan);
}

static const struct zos_kind kind = {
	.part = "vm",
	.workload = "zmachine",
	.spec = machine_spec,
	.fill = fill,
};

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zos_object_run(&kind, instance, ops, count);
}

static void demand(struct hcl_value object, void (*add)(void *data, const struct provider_demand *demand),
	void *data)
{
	zos_demand_machine(&(struct zos_demand){ add, data }, object, provider_get_text(object, "node"), 0, NULL);
}

const struct provider_resource_type provider_zos_machine = {
	.name = "zos_machine",
	.schema = &schema,
	.identity_attribute = "id",
	.validate = validate,
	.plan = plan_machine,
	.run = run,
	.batch_key = zos_object_node,
	.demand = demand,
};
