#include "providers/zos/specs.h"

#include "providers/zos/json.h"

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)
#define LEAST_ROOT_MB 500
/* A machine of this size (cores times GB of memory) needs a larger root. */
#define LARGE_MACHINE 8
#define LEAST_LARGE_ROOT_MB 2048

static void add_text(cJSON *object, const char *key, const char *text)
{
	if (text && *text)
		cJSON_AddStringToObject(object, key, text);
}

int64_t zos_machine_least_root(int64_t cpu, int64_t memory_mb)
{
	return cpu * memory_mb >= LARGE_MACHINE * 1024 ? LEAST_LARGE_ROOT_MB : LEAST_ROOT_MB;
}

static void add_interface(cJSON *spec, const struct zos_machine *machine)
{
	cJSON *network = cJSON_AddObjectToObject(spec, "network");
	cJSON *interface = cJSON_CreateObject();

	cJSON_AddItemToArray(cJSON_AddArrayToObject(network, "interfaces"), interface);
	add_text(interface, "network", machine->network);
	cJSON_AddStringToObject(interface, "ip", machine->ip ? machine->ip : "");
	add_text(network, "public_ip", machine->public_ip);
	if (machine->planetary)
		cJSON_AddTrueToObject(network, "planetary");
}

static void add_mounts(cJSON *spec, const struct zos_machine *machine)
{
	cJSON *list = cJSON_AddArrayToObject(spec, "mounts");

	for (size_t i = 0; i < machine->mount_count; i++) {
		cJSON *mount = cJSON_CreateObject();
		add_text(mount, "name", machine->mounts[i].disk);
		add_text(mount, "mountpoint", machine->mounts[i].path);
		cJSON_AddItemToArray(list, mount);
	}
}

cJSON *zos_machine_spec(const struct zos_machine *machine)
{
	cJSON *spec = cJSON_CreateObject();

	add_text(spec, "flist", machine->flist);
	add_text(spec, "flist_checksum", machine->checksum);
	add_interface(spec, machine);
	cJSON_AddNumberToObject(spec, "size", (double)(machine->rootfs_mb * MEGABYTE));
	cJSON *capacity = cJSON_AddObjectToObject(spec, "compute_capacity");
	cJSON_AddNumberToObject(capacity, "cpu", (double)machine->cpu);
	cJSON_AddNumberToObject(capacity, "memory", (double)(machine->memory_mb * MEGABYTE));
	add_mounts(spec, machine);
	add_text(spec, "entrypoint", machine->entrypoint);
	zos_json_add_map(spec, "env", machine->env);
	cJSON_AddBoolToObject(spec, "corex", machine->corex);
	return spec;
}

cJSON *zos_disk_spec(int64_t gigabytes)
{
	cJSON *spec = cJSON_CreateObject();

	cJSON_AddNumberToObject(spec, "size", (double)(gigabytes * GIGABYTE));
	return spec;
}

cJSON *zos_ip_spec(bool v4, bool v6)
{
	cJSON *spec = cJSON_CreateObject();

	cJSON_AddBoolToObject(spec, "v4", v4);
	cJSON_AddBoolToObject(spec, "v6", v6);
	return spec;
}

cJSON *zos_logs_spec(const char *machine, const char *output)
{
	cJSON *spec = cJSON_CreateObject();

	add_text(spec, "zmachine", machine);
	add_text(spec, "output", output);
	return spec;
}

cJSON *zos_gateway_spec(const struct zos_gateway *gateway)
{
	cJSON *spec = cJSON_CreateObject();

	add_text(spec, "name", gateway->name);
	add_text(spec, "fqdn", gateway->fqdn);
	zos_json_add_list(spec, "backends", gateway->backends);
	cJSON_AddBoolToObject(spec, "tls_passthrough", gateway->tls_passthrough);
	if (gateway->redirect_https)
		cJSON_AddTrueToObject(spec, "redirect_https");
	if (gateway->health_check && *gateway->health_check)
		cJSON_AddStringToObject(spec, "health_check", gateway->health_check);
	add_text(spec, "network", gateway->network);
	return spec;
}
