/* What can be said of machines' blocks before any node is asked. */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "providers/grid/vm.h"
#include "providers/machine/spec.h"
#include "providers/zos/checks.h"

#define MAX_CORES 32
#define MIN_MEMORY_MB 256
#define MAX_MEMORY_MB (256 * 1024)
#define MIN_ROOTFS_MB 1024
#define MAX_ROOTFS_MB (10 * 1024 * 1024)

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			return false;
	}
	return len > 0;
}

/* "0000:0e:00.0/1002/744c": slot, vendor, device. */
static bool is_gpu(const char *text)
{
	size_t slot = strcspn(text, "/");
	const char *vendor = text[slot] ? text + slot + 1 : "";
	size_t vendor_len = strcspn(vendor, "/");
	const char *device = vendor[vendor_len] ? vendor + vendor_len + 1 : "";

	for (size_t i = 0; i < slot; i++)
		if (text[i] != ':' && text[i] != '.' && !is_hex(text + i, 1))
			return false;
	return slot && is_hex(vendor, vendor_len) && is_hex(device, strlen(device));
}

static void check_gpus(struct provider_problems *problems, struct hcl_value gpus)
{
	for (uint32_t i = 0; gpus.state == HCL_KNOWN && i < gpus.count; i++)
		if (gpus.elements[i].state == HCL_KNOWN && !is_gpu(gpus.elements[i].text))
			provider_error(problems, "gpus", "Not the id of a GPU",
				"A GPU is named as slot/vendor/device, as in \"0000:0e:00.0/1002/744c\"; "
				"\"%s\" is not.",
				gpus.elements[i].text);
}

static void check_logs(struct provider_problems *problems, struct hcl_value urls)
{
	for (uint32_t i = 0; urls.state == HCL_KNOWN && i < urls.count; i++) {
		struct zp_str url = urls.elements[i].state == HCL_KNOWN ?
					    hcl_text(urls.elements[i]) :
					    zp_str("ws://");
		if (!zp_str_starts(url, "redis://") && !zp_str_starts(url, "ws://") &&
			!zp_str_starts(url, "wss://"))
			provider_error(problems, "zlogs", "Not a target for logs",
				"Logs go to a URL that begins with redis://, ws:// or wss://.");
	}
}

/* Numbers that are left out have their default; false while one is unknown. */
static bool sizes_known(struct hcl_value vm)
{
	return provider_get(vm, "cpu").state != HCL_UNKNOWN &&
	       provider_get(vm, "memory").state != HCL_UNKNOWN &&
	       provider_get(vm, "rootfs_size").state != HCL_UNKNOWN;
}

static void check_root(struct provider_problems *problems, struct hcl_value vm)
{
	int64_t cpu = provider_get_int(vm, "cpu", 1);
	int64_t memory = provider_get_int(vm, "memory", ZOS_DEFAULT_MEMORY_MB);
	int64_t least = zos_machine_least_root(cpu, memory);
	int64_t root = provider_get_int(vm, "rootfs_size", least);

	if (root < least)
		provider_error(problems, "rootfs_size", "Root file system too small",
			"A machine of %lld cores and %lld MB needs a root file system of at least %lld "
			"MB: \"rootfs_size\" is %lld.",
			(long long)cpu, (long long)memory, (long long)least, (long long)root);
}

/* Disks stand for themselves here: whether they exist is the deployment's to check. */
static size_t stand_in_mounts(
	struct zp_arena *arena, struct hcl_value mounts, struct zos_mount **out)
{
	size_t count = mounts.state == HCL_KNOWN ? mounts.count : 0, used = 0;

	*out = zp_new_array(arena, struct zos_mount, count);
	for (size_t i = 0; i < count; i++) {
		const char *name = provider_get_text(mounts.elements[i], "name");
		const char *path = provider_get_text(mounts.elements[i], "mount_point");
		if (path)
			(*out)[used++] = (struct zos_mount){
				zp_arena_format(arena, "%s/%zu", name ? name : "unknown", i), path };
	}
	return used;
}

static const char *attribute_of(const char *message)
{
	static const struct {
		const char *field, *attribute;
	} fields[] = { { "flist", "flist" }, { "mounts", "mounts" }, { "env", "env_vars" },
		{ "entrypoint", "entrypoint" } };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(fields); i++)
		if (zp_str_starts(zp_str(message), fields[i].field))
			return fields[i].attribute;
	return NULL;
}

/* The node's own check of a spec, with harmless values in the place of what is not known yet. */
static void check_as_node(struct provider_problems *problems, struct hcl_value vm)
{
	struct zp_arena arena;
	struct zos_mount *mounts;
	zp_autoerror err = ZP_ERROR_INIT;
	struct provider_machine_spec checked;

	zp_arena_init(&arena);
	size_t count = stand_in_mounts(&arena, provider_get(vm, "mounts"), &mounts);
	const char *flist = provider_get_text(vm, "flist");
	struct zos_machine machine = { .flist = flist ? flist : "file:///unknown",
		.checksum = provider_get_text(vm, "flist_checksum"),
		.entrypoint = provider_get_text(vm, "entrypoint"), .network = "unknown/net",
		.cpu = 1, .memory_mb = MIN_MEMORY_MB, .rootfs_mb = MIN_ROOTFS_MB,
		.env = provider_get(vm, "env_vars"), .mounts = mounts, .mount_count = count };
	cJSON *spec = zos_machine_spec(&machine);
	if (!provider_machine_spec_read(spec, &checked, &err))
		provider_machine_spec_release(&checked);
	else
		provider_error_from(problems, attribute_of(err.message), "Invalid machine", &err);
	cJSON_Delete(spec);
	zp_arena_release(&arena);
}

void grid_vm_check(struct provider_problems *problems, struct hcl_value vm)
{
	size_t errors = problems->errors;
	const char *ip = provider_get_text(vm, "ip");

	grid_check_name(problems, vm, "name");
	zos_check_int(problems, vm, "cpu", 1, MAX_CORES, "cores");
	zos_check_int(problems, vm, "memory", MIN_MEMORY_MB, MAX_MEMORY_MB, "MB");
	zos_check_int(problems, vm, "rootfs_size", MIN_ROOTFS_MB, MAX_ROOTFS_MB, "MB");
	zos_check_int(problems, vm, "disk_size", 1, 10 * 1024, "GB");
	grid_check_whole(problems, vm, "node");
	if (ip && *ip)
		zos_check_ipv4(problems, vm, "ip");
	check_gpus(problems, provider_get(vm, "gpus"));
	check_logs(problems, provider_get(vm, "zlogs"));
	if (problems->errors > errors)
		return;
	if (sizes_known(vm))
		check_root(problems, vm);
	check_as_node(problems, vm);
}

void grid_vms_check(struct provider_problems *problems, struct hcl_value config, const char *block)
{
	struct hcl_value list = provider_get(config, block);

	for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
		size_t first = problems->count;
		if (provider_is_object(list.elements[i]))
			grid_vm_check(problems, list.elements[i]);
		grid_problems_in(problems, first, block, i);
	}
}

void grid_check_unique(
	struct provider_problems *problems, struct hcl_value config, const char *const *blocks)
{
	struct zp_map names = { 0 };

	for (; *blocks; blocks++) {
		struct hcl_value list = provider_get(config, *blocks);
		for (uint32_t i = 0; list.state == HCL_KNOWN && i < list.count; i++) {
			const char *name = provider_get_text(list.elements[i], "name");
			size_t first = problems->count;
			if (!name || !zp_map_set(&names, zp_str(name), (void *)name))
				continue;
			provider_error(problems, "name", "Two parts of one name",
				"There are two parts called \"%s\": names are unique in it.", name);
			grid_problems_in(problems, first, *blocks, i);
		}
	}
	zp_map_release(&names);
}
