#include "providers/machine/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"
#include "node/client.h"
#include "providers/machine/download.h"
#include "providers/machine/tree_hash.h"

#define MIB (INT64_C(1) << 20)
#define GROUP (128 * MIB) /* of blocks in ext4 */
#define INODES_PER_GROUP 8192
#define INODE_BYTES 256
#define JOURNAL_MIB 16
#define UNUSED_SECONDS (7 * 24 * 60 * 60)
#define STALE_SECONDS (24 * 60 * 60)
#define SUFFIX ".ext4"
#define BUILD_TRIES 3

/* One at a time: machines of the same content wait for the first to make the image. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *provider_content_path(const char *url, struct zp_error *err)
{
	zp_autobuf path = ZP_BUF_INIT;

	if (strncmp(url, "file:///", 8) != 0) {
		zp_error_set(err, "\"%s\" is not a file URL", url);
		return NULL;
	}
	for (const char *p = url + strlen("file://"); *p; p++) {
		if (*p != '%') {
			zp_buf_char(&path, *p);
			continue;
		}
		int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);

		if (low < 0 || high * 16 + low == 0) {
			zp_error_set(err, "\"%s\": %% is followed by two hexadecimal digits", url);
			return NULL;
		}
		zp_buf_char(&path, (char)(high * 16 + low));
		p += 2;
	}
	return zp_buf_steal(&path);
}

void provider_content_size(int64_t bytes, int64_t entries, int64_t *size, int64_t *inodes)
{
	/* A folder takes a block, a file with holes in its extents may take one more. */
	int64_t need = bytes + bytes / 16 + entries * 4096 + (JOURNAL_MIB + 8) * MIB;
	int64_t groups = need / GROUP + 1;

	*inodes = entries + 1024;
	if (*inodes < groups * INODES_PER_GROUP)
		*inodes = groups * INODES_PER_GROUP;
	*size = (need + *inodes * INODE_BYTES + MIB - 1) / MIB * MIB;
}

/* ---- images ---- */

static int make_image(
	const char *folder, const char *path, int64_t size, int64_t inodes, struct zp_error *err)
{
	zp_autofree char *inode_text = zp_format("%lld", (long long)inodes);
	zp_autofree char *journal = zp_format("size=%d", JOURNAL_MIB);
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, size) != 0)
		return zp_error_errno(err, "making %s", path);
	return zp_run((const char *[]){ "mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-N",
			      inode_text, "-J", journal, "-E", "lazy_journal_init=1", "-d", folder,
			      path, NULL },
		NULL, NULL, err);
}

/* What content needs on ext4 is an estimate; a failure is answered with more room first. */
static int build_image(const char *folder, const struct provider_tree *tree, const char *path,
	struct zp_error *err)
{
	zp_autofree char *fresh = zp_format("%s.new", path);
	int64_t size, inodes;
	int rc = -1;

	provider_content_size(tree->bytes, tree->entries, &size, &inodes);
	for (int i = 0; i < BUILD_TRIES && rc < 0; i++, size *= 2)
		rc = make_image(folder, fresh, size, inodes, err);
	if (rc == 0 && rename(fresh, path) != 0)
		rc = zp_error_errno(err, "renaming %s", fresh);
	if (rc < 0)
		unlink(fresh);
	else if (err)
		zp_error_clear(err);
	return rc < 0 ? zp_error_wrap(err, "making an image of %s", folder) : 0;
}

/* Under the lock. A file system can not be linked across: the cache is under the same root. */
static int link_image(const char *image, const char *link_path, struct zp_error *err)
{
	unlink(link_path);
	if (link(image, link_path) != 0)
		return zp_error_errno(err, "linking %s to %s", image, link_path);
	utimensat(AT_FDCWD, image, NULL, 0);
	return 0;
}

static int link_folder(
	const char *cache, const char *folder, const char *link_path, struct zp_error *err)
{
	struct provider_tree tree;
	int rc = 0;

	if (provider_tree_hash(folder, &tree, err) < 0)
		return -1;
	zp_autofree char *image = zp_format("%s/%s" SUFFIX, cache, tree.hash);

	pthread_mutex_lock(&lock);
	if (!zp_file_exists(image))
		rc = build_image(folder, &tree, image, err);
	if (rc == 0)
		rc = link_image(image, link_path, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* ---- archives ---- */

static bool is_archive(const char *path)
{
	static const char *const endings[] = { ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz",
		".txz", ".tar.zst", ".tzst" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(endings); i++)
		if (zp_str_ends(zp_str(path), endings[i]))
			return true;
	return false;
}

static int check_sum(const char *path, const char *checksum, struct zp_error *err)
{
	char found[PROVIDER_HASH_TEXT] = "";

	if (!*checksum)
		return 0;
	if (provider_file_hash(path, strlen(checksum) == 32 ? 128 : 256, found, err) < 0)
		return -1;
	if (strcasecmp(found, checksum) != 0)
		return zp_error_code(err, NODE_E_INVALID,
			"flist_checksum: the content hashes to %s, not to %s", found, checksum);
	return 0;
}

/* Links the image of this hash: 0, or 1 when the cache does not have it. */
static int link_known(
	const char *cache, const char *hash, const char *link_path, struct zp_error *err)
{
	zp_autofree char *image = zp_format("%s/%s" SUFFIX, cache, hash);
	int rc = 1;

	for (char *p = image + strlen(cache); *p; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p | 0x20) : *p;
	pthread_mutex_lock(&lock);
	if (zp_file_exists(image))
		rc = link_image(image, link_path, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* Makes the image out of the unpacked archive, under the archive's hash. */
static int link_unpacked(const char *cache, const char *folder, const char *hash,
	const char *link_path, struct zp_error *err)
{
	zp_autofree char *image = zp_format("%s/%s" SUFFIX, cache, hash);
	struct provider_tree tree;
	int rc;

	if (provider_tree_hash(folder, &tree, err) < 0)
		return -1;
	pthread_mutex_lock(&lock);
	rc = zp_file_exists(image) ? 0 : build_image(folder, &tree, image, err);
	if (rc == 0)
		rc = link_image(image, link_path, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int link_archive(const char *cache, const char *archive, const char *checksum,
	const char *link_path, struct zp_error *err)
{
	zp_autofree char *folder = zp_format("%s/unpack-XXXXXX", cache);
	char hash[PROVIDER_HASH_TEXT];
	int rc;

	if (check_sum(archive, checksum, err) < 0 ||
		provider_file_hash(archive, 256, hash, err) < 0)
		return -1;
	rc = link_known(cache, hash, link_path, err);
	if (rc <= 0)
		return rc;
	if (!mkdtemp(folder))
		return zp_error_errno(err, "making %s", folder);
	rc = zp_run((const char *[]){ "tar", "-x", "-p", "--numeric-owner", "--xattrs", "-f",
			    archive, "-C", folder, NULL },
		NULL, NULL, err);
	if (rc == 0)
		rc = link_unpacked(cache, folder, hash, link_path, err);
	zp_remove_tree(folder, NULL);
	return rc;
}

/* ---- the way in ---- */

static int link_local(const char *cache, const char *path, const char *checksum,
	const char *link_path, struct zp_error *err)
{
	if (zp_is_directory(path)) {
		if (*checksum)
			return zp_error_code(
				err, NODE_E_INVALID, "flist_checksum: a folder has none");
		return link_folder(cache, path, link_path, err);
	}
	if (!zp_file_exists(path))
		return zp_error_code(err, NODE_E_INVALID, "there is no %s on this node", path);
	if (!is_archive(path))
		return zp_error_code(
			err, NODE_E_INVALID, "%s is neither a folder nor a tar archive", path);
	return link_archive(cache, path, checksum, link_path, err);
}

static int link_remote(struct node_context *node, const char *id, const char *cache,
	const char *url, const char *checksum, const char *link_path, struct zp_error *err)
{
	zp_autofree char *plain = zp_strndup(url, strcspn(url, "?#"));
	zp_autofree char *file = NULL;
	int rc;

	if (!is_archive(plain))
		return zp_error_code(err, NODE_E_INVALID, "this is not the URL of a tar archive");
	if (strlen(checksum) == 64 && (rc = link_known(cache, checksum, link_path, err)) <= 0)
		return rc;
	node_progress(node, id, "downloading %s", url);
	file = provider_download(url, checksum, cache, err);
	if (!file)
		return -1;
	rc = link_archive(cache, file, checksum, link_path, err);
	unlink(file);
	return rc;
}

int provider_content_link(struct node_context *node, const char *id, const char *url,
	const char *checksum, const char *link_path, struct zp_error *err)
{
	zp_autofree char *cache = zp_format("%s/cache", node_root(node));
	zp_autofree char *path = NULL;
	int rc;

	if (zp_mkdirs(cache, 0700, err) < 0)
		return -1;
	if (strncmp(url, "file://", 7) != 0) {
		rc = link_remote(node, id, cache, url, checksum, link_path, err);
	} else {
		path = provider_content_path(url, err);
		rc = path ? link_local(cache, path, checksum, link_path, err) : -1;
	}
	return rc < 0 ? zp_error_wrap(err, "flist %s", url) : 0;
}

/* Interrupted work is left over only after a crash; a day is longer than any takes. */
static bool is_stale(const char *name, const struct stat *st)
{
	time_t age = time(NULL) - st->st_mtime;
	bool half_done = zp_str_starts(zp_str(name), "unpack-") ||
			 zp_str_starts(zp_str(name), "archive-") ||
			 zp_str_starts(zp_str(name), "download-") ||
			 zp_str_ends(zp_str(name), SUFFIX ".new");

	if (half_done)
		return age > STALE_SECONDS;
	return zp_str_ends(zp_str(name), SUFFIX) && S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       age > UNUSED_SECONDS;
}

void provider_content_prune(const struct node_context *node)
{
	zp_autofree char *cache = zp_format("%s/cache", node_root(node));
	zp_autoclosedir DIR *dir = opendir(cache);
	struct dirent *entry;
	struct stat st;

	pthread_mutex_lock(&lock);
	while (dir && (entry = readdir(dir))) {
		zp_autofree char *path = zp_format("%s/%s", cache, entry->d_name);

		if (lstat(path, &st) == 0 && is_stale(entry->d_name, &st))
			zp_remove_tree(path, NULL);
	}
	pthread_mutex_unlock(&lock);
}
