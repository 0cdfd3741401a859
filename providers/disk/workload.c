#include "providers/disk/workload.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/disk/volume.h"
#include "providers/machine/machine.h"

/* What file systems and QEMU agree on without rounding. */
#define ALIGNMENT 4096

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

static int validate(const cJSON *spec, struct zp_error *err)
{
	int64_t size;

	return provider_zmount_size(spec, &size, err);
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
