#include "providers/disk/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"

void provider_volume_name(struct node_context *node, const char *id, char out[16])
{
	node_short_name("d", node_tag(node), id, out);
}

char *provider_volume_path(struct node_context *node, const char *id, struct zp_error *err)
{
	zp_autofree char *folder = node_workload_dir(node, id, err);

	return folder ? zp_format("%s/volume.raw", folder) : NULL;
}

struct search {
	const char *disk, *but;
	char *user;
};

static bool find_mount(void *data, const struct node_workload *w)
{
	struct search *search = data;
	const cJSON *mounts = cJSON_GetObjectItemCaseSensitive(w->spec, "mounts"), *mount;

	if (search->but && strcmp(w->id, search->but) == 0)
		return true;
	cJSON_ArrayForEach(mount, mounts)
	{
		const char *name =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(mount, "name"));

		if (!name || strcmp(name, search->disk) != 0)
			continue;
		search->user = zp_strdup(w->id);
		return false;
	}
	return true;
}

char *provider_volume_user(struct node_context *node, const char *id, const char *but)
{
	struct search search = { .disk = id, .but = but };

	node_each(node, "zmachine", find_mount, &search);
	return search.user;
}

int64_t provider_volume_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

static int make_file(const char *path, int64_t size, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, size) != 0)
		return zp_error_errno(err, "making %s", path);
	if (zp_run((const char *[]){ "mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", path, NULL },
		    NULL, NULL, err) < 0)
		return -1;
	return fsync(fd) == 0 ? 0 : zp_error_errno(err, "writing %s", path);
}

int provider_volume_create(const char *path, int64_t size, struct zp_error *err)
{
	zp_autofree char *fresh = zp_format("%s.new", path);

	if (make_file(fresh, size, err) < 0) {
		unlink(fresh);
		return -1;
	}
	if (rename(fresh, path) != 0)
		return zp_error_errno(err, "renaming %s", fresh);
	return zp_file_sync_parent(path, err);
}

int provider_volume_grow(const char *path, int64_t size, struct zp_error *err)
{
	if (truncate(path, size) != 0)
		return zp_error_errno(err, "growing %s", path);
	return 0;
}
