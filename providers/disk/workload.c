#include "providers/disk/workload.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/process.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/disk/volume.h"
#include "providers/machine/machine.h"

/* What file systems and QEMU agree on without rounding. */
#define ALIGNMENT 4096
#define MAX_SHOWN 4
#define SHOWN_LIMIT ((size_t)64 * 1024)
#define SHOWN_TIMEOUT_MS 5000

int provider_zmount_size(const cJSON *spec, int64_t *size, struct zp_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, "size");

	if (!item)
		return zp_error_set(err, "size: required, but not given");
	if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
		!(item->valuedouble >= (double)PROVIDER_VOLUME_MIN) ||
		!(item->valuedouble <= (double)PROVIDER_VOLUME_MAX))
		return zp_error_set(err, "size: must be a whole number of bytes from %lld to %lld",
			(long long)PROVIDER_VOLUME_MIN, (long long)PROVIDER_VOLUME_MAX);
	*size = (int64_t)item->valuedouble / ALIGNMENT * ALIGNMENT;
	return 0;
}

/* A file at the top of its file system, by a name that is one word for debugfs. */
static bool is_shown_name(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len >= 1 && len <= 64 && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

static int check_shown(const cJSON *spec, struct zp_error *err)
{
	const cJSON *show = cJSON_GetObjectItemCaseSensitive(spec, "show"), *name;

	if (!show || cJSON_IsNull(show))
		return 0;
	if (!cJSON_IsArray(show) || cJSON_GetArraySize(show) > MAX_SHOWN)
		return zp_error_set(err, "show: must be a list of at most %d names", MAX_SHOWN);
	cJSON_ArrayForEach(name, show) if (!is_shown_name(cJSON_GetStringValue(name)))
		return zp_error_set(err, "show: must be names of letters, digits and . _ -");
	return 0;
}

static int validate(const cJSON *spec, struct zp_error *err)
{
	int64_t size;

	if (provider_zmount_size(spec, &size, err) < 0)
		return -1;
	return check_shown(spec, err);
}

/*
 * Small files that whoever has the disk may see, as far as they are there: the file system is looked
 * into from outside, without touching it, so what a machine wrote shows a while later.
 */
static void add_shown(const struct node_workload *w, const char *path, cJSON *result)
{
	const cJSON *show = cJSON_GetObjectItemCaseSensitive(w->spec, "show"), *name;
	cJSON *shown = cJSON_GetArraySize(show) ? cJSON_AddObjectToObject(result, "shown") : NULL;

	cJSON_ArrayForEach(name, show)
	{
		zp_autofree char *command = zp_format("cat /%s", name->valuestring);
		struct zp_process_options options = { .timeout_ms = SHOWN_TIMEOUT_MS };
		struct zp_process_result out = { 0 };

		if (zp_run((const char *[]){ "debugfs", "-R", command, path, NULL }, &options, &out,
			    NULL) == 0 &&
			out.out.len > 0 && out.out.len <= SHOWN_LIMIT && !memchr(out.out.ptr, 0, out.out.len))
			cJSON_AddStringToObject(shown, name->valuestring, out.out.ptr);
		zp_process_result_release(&out);
	}
}

static void capacity(const cJSON *spec, struct node_capacity *out)
{
	provider_zmount_size(spec, &out->disk, NULL);
}

static cJSON *make_result(struct node_context *node, const char *id)
{
	cJSON *result = cJSON_CreateObject();
	char name[16];

	provider_volume_name(node, id, name);
	cJSON_AddStringToObject(result, "volume_id", name);
	return result;
}

static int grow(struct node_context *node, const struct node_workload *w, const char *path,
	int64_t size, struct zp_error *err)
{
	zp_autofree char *machine = NULL;

	if (provider_volume_grow(path, size, err) < 0)
		return -1;
	machine = provider_volume_user(node, w->id, NULL);
	return machine ? provider_machine_disk_grown(node, machine, path, size, err) : 0;
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	zp_autofree char *path = provider_volume_path(node, w->id, err);
	int64_t size, found;
	int rc = 0;

	if (!path || provider_zmount_size(w->spec, &size, err) < 0)
		return -1;
	found = provider_volume_size(path);
	if (found > size)
		return zp_error_code(err, NODE_E_INVALID,
			"size: a disk can not shrink (it has %lld bytes, %lld are asked for)",
			(long long)found, (long long)size);
	/* Never an empty disk in place of one that had data: that is for its owner to decide. */
	if (found < 0 && w->result)
		return zp_error_code(err, NODE_E_FAILED,
			"the file of the disk is gone (%s), and its data with it: put it back, or "
			"replace the disk by a new one",
			path);
	if (found < 0)
		rc = provider_volume_create(path, size, err);
	else if (found < size)
		rc = grow(node, w, path, size, err);
	if (rc == 0)
		*result = make_result(node, w->id);
	return rc;
}

static int read_volume(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	zp_autofree char *path = provider_volume_path(node, w->id, err);
	int64_t size, found;

	if (!path || provider_zmount_size(w->spec, &size, err) < 0)
		return -1;
	found = provider_volume_size(path);
	if (found < 0) {
		*status = NODE_ABSENT;
		zp_buf_printf(message, "the file of the disk is gone (%s)", path);
		return 0;
	}
	*status = found == size ? NODE_OK : NODE_DEGRADED;
	if (found != size)
		zp_buf_printf(message, "the disk has %lld bytes instead of %lld", (long long)found,
			(long long)size);
	*result = make_result(node, w->id);
	add_shown(w, path, *result);
	return 0;
}

static int remove_volume(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	zp_autofree char *machine = provider_volume_user(node, w->id, NULL);

	if (machine)
		return zp_error_code(err, NODE_E_BUSY, "the disk is in use by %s", machine);
	return node_workload_dir_remove(node, w->id, err);
}

const struct node_workload_type provider_zmount_workload = {
	.name = PROVIDER_ZMOUNT_TYPE,
	.order = 20,
	.validate = validate,
	.capacity = capacity,
	.ensure = ensure,
	.read = read_volume,
	.remove = remove_volume,
};
