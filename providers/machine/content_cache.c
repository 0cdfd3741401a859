#include "providers/machine/content_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/machine/tree_hash.h"

#define UNUSED_SECONDS (7 * 24 * 60 * 60)
#define STALE_SECONDS (24 * 60 * 60)

static const char *const files[] = { PROVIDER_BASE_ROOT, PROVIDER_BASE_DISK, PROVIDER_BASE_KERNEL,
	PROVIDER_BASE_INITRD };

/* Between linking and pruning. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

char *provider_cache_folder(const struct node_context *node, struct zp_error *err)
{
	zp_autofree char *cache = zp_format("%s/cache", node_root(node));

	return zp_mkdirs(cache, 0700, err) < 0 ? NULL : zp_steal(cache);
}

char *provider_cache_scratch(const char *cache, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/unpack-XXXXXX", cache);

	if (mkdtemp(folder))
		return zp_steal(folder);
	zp_error_errno(err, "making %s", folder);
	return NULL;
}

/* The image of some content; 0 when the folder is none. */
static int find_image(const char *folder, struct stat *st)
{
	for (size_t i = 0; i < 2; i++) {
		zp_autofree char *path = zp_format("%s/%s", folder, files[i]);

		if (lstat(path, st) == 0)
			return 1;
	}
	return 0;
}

bool provider_cache_has(const char *cache, const char *hash)
{
	zp_autofree char *folder = zp_format("%s/%s", cache, hash);
	struct stat st;
	bool has;

	pthread_mutex_lock(&lock);
	has = find_image(folder, &st) && utimensat(AT_FDCWD, folder, NULL, 0) == 0;
	pthread_mutex_unlock(&lock);
	return has;
}

int provider_cache_keep(
	const char *cache, const char *hash, const char *folder, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/%s", cache, hash);

	if (rename(folder, path) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return zp_error_errno(err, "renaming %s", folder);
	/* It came another way at the same time, or what is there was damaged. */
	if (provider_cache_has(cache, hash))
		return zp_remove_tree(folder, err);
	if (zp_remove_tree(path, err) < 0)
		return -1;
	return rename(folder, path) == 0 ? 0 : zp_error_errno(err, "renaming %s", folder);
}

static int link_file(const char *from, const char *to, const char *name, struct zp_error *err)
{
	zp_autofree char *source = zp_format("%s/%s", from, name);
	zp_autofree char *target = zp_format("%s/%s", to, name);

	if (link(source, target) != 0 && errno != ENOENT)
		return zp_error_errno(err, "linking %s to %s", source, target);
	return 0;
}

int provider_cache_link(const char *cache, const char *hash, const char *to, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/%s", cache, hash);
	struct stat st;
	int rc = 0;

	if (zp_remove_tree(to, err) < 0)
		return -1;
	if (mkdir(to, 0700) != 0)
		return zp_error_errno(err, "making %s", to);
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(files) && rc == 0; i++)
		rc = link_file(folder, to, files[i], err);
	utimensat(AT_FDCWD, folder, NULL, 0);
	pthread_mutex_unlock(&lock);
	if (rc == 0 && !find_image(to, &st))
		rc = zp_error_set(err, "the node's cache has lost %s", folder);
	return rc;
}

/* ---- pruning ---- */

static bool is_hash(const char *name)
{
	return strspn(name, "0123456789abcdef") == PROVIDER_HASH_TEXT - 1 &&
	       !name[PROVIDER_HASH_TEXT - 1];
}

static bool is_unfinished(struct zp_str name)
{
	return zp_str_starts(name, "unpack-") || zp_str_starts(name, "archive-") ||
	       zp_str_starts(name, "download-");
}

/* Interrupted work is left over only after a crash; a day is longer than any takes. */
static bool is_stale(const char *name, const char *path)
{
	struct stat st, image;
	time_t age;

	if (lstat(path, &st) != 0)
		return false;
	age = time(NULL) - st.st_mtime;
	if (is_unfinished(zp_str(name)))
		return age > STALE_SECONDS;
	if (is_hash(name))
		return age > UNUSED_SECONDS && !(find_image(path, &image) && image.st_nlink > 1);
	return zp_str_starts(zp_str(name), "version-") && age > UNUSED_SECONDS;
}

/* Also called for the blocks of flists, which have a folder of their own. */
static void prune_blocks(const char *cache)
{
	zp_autofree char *folder = zp_format("%s/blocks", cache);
	zp_autoclosedir DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		zp_autofree char *path = zp_format("%s/%s", folder, entry->d_name);

		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
			time(NULL) - st.st_mtime > STALE_SECONDS)
			unlink(path);
	}
}

void provider_cache_prune(const char *cache)
{
	zp_autoclosedir DIR *dir = opendir(cache);
	struct dirent *entry;

	pthread_mutex_lock(&lock);
	while (dir && (entry = readdir(dir))) {
		zp_autofree char *path = zp_format("%s/%s", cache, entry->d_name);

		if (is_stale(entry->d_name, path))
			zp_remove_tree(path, NULL);
	}
	prune_blocks(cache);
	pthread_mutex_unlock(&lock);
}
