#include "providers/machine/spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "providers/machine/command.h"
#include "providers/network/address.h"

#define LARGE_MACHINE (INT64_C(8) << 30) /* cores times memory */
#define MIN_LARGE_ROOT (INT64_C(2) << 30)
#define MAX_EXACT_NUMBER 9007199254740992.0

/* The field's text, "" when it is missing; NULL after an error. */
static const char *text_field(
	const cJSON *object, const char *name, bool required, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (item && !cJSON_IsNull(item) && !cJSON_IsString(item)) {
		zp_error_set(err, "%s: must be text", name);
		return NULL;
	}
	if (item && item->valuestring && *item->valuestring)
		return item->valuestring;
	if (required) {
		zp_error_set(err, "%s: required, but not given", name);
		return NULL;
	}
	return "";
}

static int number_field(const cJSON *object, const char *prefix, const char *name, int64_t least,
	int64_t most, int64_t *out, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;

	if (!item)
		return zp_error_set(err, "%s%s: required, but not given", prefix, name);
	if (!(value >= (double)least && value <= (double)most) || value != floor(value) ||
		value > MAX_EXACT_NUMBER)
		return zp_error_set(err, "%s%s: must be a whole number from %lld to %lld", prefix,
			name, (long long)least, (long long)most);
	*out = (int64_t)value;
	return 0;
}

static int read_capacity(
	const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err)
{
	const cJSON *capacity = cJSON_GetObjectItemCaseSensitive(json, "compute_capacity");
	int64_t cpu = 0;

	if (!cJSON_IsObject(capacity))
		return zp_error_set(err, "compute_capacity: required, but not given");
	if (number_field(capacity, "compute_capacity.", "cpu", 1, PROVIDER_MACHINE_MAX_CPU, &cpu,
		    err) < 0 ||
		number_field(capacity, "compute_capacity.", "memory", PROVIDER_MACHINE_MIN_MEMORY,
			PROVIDER_MACHINE_MAX_MEMORY, &spec->memory, err) < 0 ||
		number_field(json, "", "size", PROVIDER_MACHINE_MIN_ROOT, PROVIDER_MACHINE_MAX_ROOT,
			&spec->size, err) < 0)
		return -1;
	spec->cpu = (int)cpu;
	if (cpu * spec->memory >= LARGE_MACHINE && spec->size < MIN_LARGE_ROOT)
		return zp_error_set(err,
			"size: a machine of %d cores and %lld MB needs a root of at least 2048 MB",
			spec->cpu, (long long)(spec->memory >> 20));
	return 0;
}

static int read_content(const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err)
{
	const char *flist = text_field(json, "flist", true, err);
	const char *checksum = flist ? text_field(json, "flist_checksum", false, err) : NULL;
	size_t len = checksum ? strlen(checksum) : 0;

	if (!checksum)
		return -1;
	if (strncmp(flist, "file:///", 8) != 0 && strncmp(flist, "http://", 7) != 0 &&
		strncmp(flist, "https://", 8) != 0)
		return zp_error_set(err,
			"flist: \"%s\" does not begin with http://, https:// or file:///", flist);
	if (len && ((len != 32 && len != 64) || strspn(checksum, "0123456789abcdefABCDEF") != len))
		return zp_error_set(err, "flist_checksum: must be a SHA-256 or MD5 in hexadecimal");
	spec->flist = zp_arena_strdup(&spec->arena, flist);
	spec->checksum = zp_arena_strdup(&spec->arena, checksum);
	return 0;
}

static int read_network(const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err)
{
	const cJSON *network = cJSON_GetObjectItemCaseSensitive(json, "network");
	const cJSON *interfaces = cJSON_GetObjectItemCaseSensitive(network, "interfaces");
	const cJSON *first = cJSON_IsArray(interfaces) ? interfaces->child : NULL;
	const char *id, *ip, *public_ip;

	if (!first || first->next)
		return zp_error_set(err, "network.interfaces: exactly one is needed");
	id = text_field(first, "network", true, err);
	ip = id ? text_field(first, "ip", false, err) : NULL;
	if (!ip)
		return zp_error_wrap(err, "network.interfaces");
	if (*ip && !provider_ipv4_parse(ip, &spec->ip))
		return zp_error_set(
			err, "network.interfaces: ip: \"%s\" is not an IPv4 address", ip);
	spec->planetary = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(network, "planetary"));
	public_ip = text_field(network, "public_ip", false, err);
	if (!public_ip)
		return zp_error_wrap(err, "network");
	spec->public_ip = zp_arena_strdup(&spec->arena, public_ip);
	spec->network = zp_arena_strdup(&spec->arena, id);
	return 0;
}

static bool is_mount_point(const char *path)
{
	size_t len = strlen(path);

	return len >= 2 && len < 1024 && path[0] == '/' && path[len - 1] != '/' &&
	       !strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./") &&
	       !zp_str_ends(zp_str(path), "/..") && strcspn(path, " \t\r\n:,") == len;
}

static int read_mount(const cJSON *item, struct provider_machine_spec *spec, struct zp_error *err)
{
	const char *disk = text_field(item, "name", true, err);
	const char *path = disk ? text_field(item, "mountpoint", true, err) : NULL;

	if (!path)
		return -1;
	if (!is_mount_point(path))
		return zp_error_set(
			err, "mountpoint: \"%s\" is not an absolute path of a folder", path);
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (strcmp(spec->mounts[i].path, path) == 0)
			return zp_error_set(err, "mountpoint: %s is given twice", path);
		if (strcmp(spec->mounts[i].disk, disk) == 0)
			return zp_error_set(err, "name: the disk %s is mounted twice", disk);
	}
	spec->mounts[spec->mount_count++] = (struct provider_machine_mount){
		.disk = zp_arena_strdup(&spec->arena, disk),
		.path = zp_arena_strdup(&spec->arena, path),
	};
	return 0;
}

/* So that a disk mounted inside another one comes after it. */
static int by_path(const void *a, const void *b)
{
	const struct provider_machine_mount *left = a, *right = b;

	return strcmp(left->path, right->path);
}

static int read_mounts(const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "mounts"), *item;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > PROVIDER_MACHINE_MAX_MOUNTS)
		return zp_error_set(
			err, "mounts: must be a list of at most %d", PROVIDER_MACHINE_MAX_MOUNTS);
	spec->mounts = zp_new_array(
		&spec->arena, struct provider_machine_mount, PROVIDER_MACHINE_MAX_MOUNTS);
	cJSON_ArrayForEach(item, list)
	{
		if (read_mount(item, spec, err) < 0)
			return zp_error_wrap(err, "mounts");
	}
	qsort(spec->mounts, spec->mount_count, sizeof(*spec->mounts), by_path);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_env(
	const cJSON *json, struct provider_machine_spec *spec, size_t *total, struct zp_error *err)
{
	const cJSON *env = cJSON_GetObjectItemCaseSensitive(json, "env"), *item;

	if (!env || cJSON_IsNull(env))
		return 0;
	if (!cJSON_IsObject(env) || cJSON_GetArraySize(env) > PROVIDER_MACHINE_MAX_ENV)
		return zp_error_set(err, "env: must be an object of at most %d texts",
			PROVIDER_MACHINE_MAX_ENV);
	spec->env = zp_new_array(&spec->arena, const char *, PROVIDER_MACHINE_MAX_ENV);
	cJSON_ArrayForEach(item, env)
	{
		if (!item->string || !*item->string || strchr(item->string, '='))
			return zp_error_set(err, "env: \"%s\" can not be a variable's name",
				item->string ? item->string : "");
		if (!cJSON_IsString(item))
			return zp_error_set(err, "env: %s must be text", item->string);
		spec->env[spec->env_count] =
			zp_arena_format(&spec->arena, "%s=%s", item->string, item->valuestring);
		*total += strlen(spec->env[spec->env_count++]);
	}
	qsort(spec->env, spec->env_count, sizeof(*spec->env), by_text);
	return 0;
}

static int read_entrypoint(
	const cJSON *json, struct provider_machine_spec *spec, size_t *total, struct zp_error *err)
{
	const char *text = text_field(json, "entrypoint", false, err);

	if (!text)
		return -1;
	*total += strlen(text);
	if (*total > PROVIDER_MACHINE_MAX_TEXT)
		return zp_error_set(err, "env: more than %d bytes", PROVIDER_MACHINE_MAX_TEXT);
	if (provider_command_split(&spec->arena, text, &spec->args, &spec->arg_count, err) < 0)
		return zp_error_wrap(err, "entrypoint");
	spec->corex = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "corex"));
	return 0;
}

int provider_machine_spec_read(
	const cJSON *json, struct provider_machine_spec *spec, struct zp_error *err)
{
	size_t total = 0;

	memset(spec, 0, sizeof(*spec));
	zp_arena_init(&spec->arena);
	if (!cJSON_IsObject(json))
		return zp_error_set(err, "the spec must be an object");
	if (read_content(json, spec, err) < 0 || read_capacity(json, spec, err) < 0 ||
		read_network(json, spec, err) < 0 || read_mounts(json, spec, err) < 0 ||
		read_env(json, spec, &total, err) < 0 ||
		read_entrypoint(json, spec, &total, err) < 0) {
		provider_machine_spec_release(spec);
		return -1;
	}
	return 0;
}

void provider_machine_spec_release(struct provider_machine_spec *spec)
{
	zp_arena_release(&spec->arena);
	memset(spec, 0, sizeof(*spec));
}
