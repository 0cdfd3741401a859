#include "modules/fetch.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "modules/fetch_internal.h"

/* nftw has no place for data of the caller's. */
static _Thread_local struct zp_error *walk_error;
static _Thread_local size_t root_length;

/* Whether a link at this path under the root leads to a place under the root. */
static bool link_stays_inside(const char *path, const char *target)
{
	long depth = -1;

	if (*target == '/')
		return false;
	for (const char *p = path; *p; p++)
		depth += *p == '/';
	for (const char *p = target; *p; p += strspn(p, "/")) {
		size_t length = strcspn(p, "/");
		if (length == 2 && memcmp(p, "..", 2) == 0)
			depth--;
		else if (length != 1 || *p != '.')
			depth++;
		if (depth < 0)
			return false;
		p += length;
	}
	return true;
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	char target[PATH_MAX];
	const char *inner = path + root_length;

	(void)where;
	if (type == FTW_SL) {
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = 0;
		if (length > 0 && link_stays_inside(inner, target))
			return 0;
		return zp_error_set(walk_error, "the link %s in it leads out of it", inner + 1);
	}
	if (type == FTW_D || (type == FTW_F && S_ISREG(st->st_mode)))
		return 0;
	return zp_error_set(walk_error, "%s in it is neither file nor folder", inner + 1);
}

static int check_tree(const char *dir, struct zp_error *err)
{
	walk_error = err;
	root_length = strlen(dir);
	return nftw(dir, check_file, 16, FTW_PHYS) == 0 ? 0 : -1;
}

static int replace(const char *dir, const char *fetched, struct zp_error *err)
{
	if (zp_remove_tree(dir, err) < 0)
		return -1;
	return rename(fetched, dir) == 0 ? 0 : zp_error_errno(err, "making %s", dir);
}

static bool is_commit(const char *ref)
{
	return strlen(ref) == 40 && strspn(ref, "0123456789abcdef") == 40;
}

/* Of what can not change: what it is kept under. Heap; NULL for all else. */
static char *cache_key(const struct module_address *address, const char *release)
{
	if (release)
		return zp_format("%s\n%s", release, address->package);
	if (address->kind == MODULE_GIT && address->ref && is_commit(address->ref))
		return zp_strdup(address->package);
	if (address->kind == MODULE_ARCHIVE && address->checksum)
		return zp_strdup(address->package);
	return NULL;
}

static int fetch(const struct module_address *address, const char *release, const char *work,
	const char *tree, struct zp_error *err)
{
	zp_autofree char *key = cache_key(address, release);

	if (key && module_cache_take(key, tree) == 1)
		return check_tree(tree, err);
	if ((address->kind == MODULE_GIT ? module_fetch_git(address, work, tree, err) :
					   module_fetch_archive(address, work, tree, err)) < 0 ||
		check_tree(tree, err) < 0)
		return -1;
	if (key)
		module_cache_keep(key, tree);
	return 0;
}

int module_fetch(const struct module_address *address, const char *release, const char *dir,
	struct zp_error *err)
{
	zp_autofree char *parent = zp_strndup(dir, (size_t)(strrchr(dir, '/') - dir));

	if (zp_mkdirs(parent, 0755, err) < 0)
		return -1;
	zp_autofree char *place = realpath(parent, NULL);
	zp_autofree char *work = zp_format("%s/.fetch-XXXXXX", place ? place : parent);
	if (!mkdtemp(work))
		return zp_error_errno(err, "making a folder in %s", parent);
	zp_autofree char *tree = zp_path_join(work, "tree");
	int rc = fetch(address, release, work, tree, err);
	if (rc == 0)
		rc = replace(dir, tree, err);
	zp_remove_tree(work, NULL);
	return rc;
}
