#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/alloc.h"

int zp_file_read(const char *path, size_t limit, struct zp_buf *out, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return zp_error_errno(err, "open %s", path);

	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(size_t)st.st_size <= limit)
		zp_buf_reserve(out, (size_t)st.st_size + 1);
	size_t start = out->len;
	for (;;) {
		zp_buf_reserve(out, 65536);
		ssize_t n = read(fd, out->ptr + out->len, out->capacity - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zp_error_errno(err, "read %s", path);
		if (n == 0)
			break;
		out->len += (size_t)n;
		if (out->len - start > limit)
			return zp_error_code(err, EFBIG, "read %s: larger than %zu bytes", path,
				limit);
	}
	out->ptr[out->len] = 0;
	return 0;
}

int zp_write_all(int fd, const void *data, size_t len, struct zp_error *err)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return zp_error_errno(err, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* "." for a bare name. Heap string. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return zp_strdup(".");
	return slash == path ? zp_strdup("/") : zp_strndup(path, (size_t)(slash - path));
}

int zp_file_sync_parent(const char *path, struct zp_error *err)
{
	zp_autofree char *parent = parent_of(path);
	zp_autoclose int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return zp_error_errno(err, "open %s", parent);
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return zp_error_errno(err, "fsync %s", parent);
	return 0;
}

static int write_temporary(int fd, const char *path, struct zp_str data, mode_t mode,
	struct zp_error *err)
{
	if (fchmod(fd, mode) < 0)
		return zp_error_errno(err, "chmod %s", path);
	if (zp_write_all(fd, data.ptr, data.len, err) < 0)
		return zp_error_wrap(err, "%s", path);
	if (fsync(fd) < 0)
		return zp_error_errno(err, "fsync %s", path);
	return 0;
}

int zp_file_write_atomic(const char *path, struct zp_str data, mode_t mode, struct zp_error *err)
{
	zp_autofree char *temporary = zp_format("%s.tmp-XXXXXX", path);
	zp_autoclose int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return zp_error_errno(err, "create %s", temporary);
	if (write_temporary(fd, temporary, data, mode, err) < 0) {
		unlink(temporary);
		return -1;
	}
	if (rename(temporary, path) < 0) {
		zp_error_errno(err, "rename %s to %s", temporary, path);
		unlink(temporary);
		return -1;
	}
	return zp_file_sync_parent(path, err);
}

bool zp_file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool zp_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int zp_mkdirs(const char *path, mode_t mode, struct zp_error *err)
{
	zp_autofree char *partial = zp_strdup(path);

	for (char *p = partial + 1; *partial; p++) {
		if (*p && *p != '/')
			continue;
		char kept = *p;
		*p = 0;
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return zp_error_errno(err, "mkdir %s", partial);
		*p = kept;
		if (!kept)
			break;
	}
	if (!zp_is_directory(path))
		return zp_error_code(err, ENOTDIR, "mkdir %s: not a folder", path);
	return 0;
}

#define MAX_TREE_DEPTH 256

static int remove_at(int parent, const char *name, dev_t device, int depth, struct zp_error *err);

static int remove_contents(int fd, dev_t device, int depth, struct zp_error *err)
{
	zp_autoclosedir DIR *dir = fdopendir(fd);

	if (!dir) {
		zp_error_errno(err, "open folder");
		close(fd);
		return -1;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_at(dirfd(dir), entry->d_name, device, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int remove_at(int parent, const char *name, dev_t device, int depth, struct zp_error *err)
{
	struct stat st;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		errno = EPERM;
		return zp_error_errno(err, "remove %s", name);
	}
	if (device && st.st_dev != device)
		return zp_error_code(err, EXDEV, "remove %s: something is mounted there", name);
	if (depth > MAX_TREE_DEPTH)
		return zp_error_code(err, ELOOP, "remove %s: folders nested too deeply", name);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return zp_error_errno(err, "open %s", name);
	if (remove_contents(fd, st.st_dev, depth, err) < 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return zp_error_errno(err, "remove %s", name);
	return 0;
}

int zp_remove_tree(const char *path, struct zp_error *err)
{
	return remove_at(AT_FDCWD, path, 0, 0, err);
}

char *zp_path_join(const char *dir, const char *name)
{
	if (name[0] == '/' || !*dir || strcmp(dir, ".") == 0)
		return zp_strdup(name);
	return zp_format("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}
