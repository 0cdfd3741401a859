/*
 * Packages that never change - a released version, a commit, an archive with a checksum - are kept for other
 * configurations: as a tar named by what it is a copy of, beside it the checksum it must have.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "modules/fetch_internal.h"

#define CHUNK 65536

/* Heap; NULL: nothing is kept. */
static char *cache_folder(void)
{
	const char *own = getenv("ZPLAN_MODULE_CACHE");
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (own)
		return *own ? zp_strdup(own) : NULL;
	if (cache && *cache == '/')
		return zp_format("%s/zplan/modules", cache);
	return home && *home == '/' ? zp_format("%s/.cache/zplan/modules", home) : NULL;
}

static void add_hex(struct zp_buf *out, EVP_MD_CTX *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	EVP_DigestFinal_ex(digest, bytes, &length);
	for (unsigned i = 0; i < length; i++)
		zp_buf_printf(out, "%02x", bytes[i]);
}

static void hash_text(const char *text, struct zp_buf *out)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
	EVP_DigestUpdate(digest, text, strlen(text));
	add_hex(out, digest);
	EVP_MD_CTX_free(digest);
}

static int hash_file(const char *path, struct zp_buf *out)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[CHUNK];
	ssize_t length = -1;

	if (fd < 0)
		return -1;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
	while ((length = read(fd, chunk, sizeof(chunk))) > 0)
		EVP_DigestUpdate(digest, chunk, (size_t)length);
	add_hex(out, digest);
	EVP_MD_CTX_free(digest);
	return length < 0 ? -1 : 0;
}

/* The two files of a key, in the folder. */
struct place {
	char *tar, *sum;
};

static void place_release(struct place *place)
{
	free(place->tar);
	free(place->sum);
}

static bool find_place(const char *key, const char *folder, struct place *place)
{
	zp_autobuf name = ZP_BUF_INIT;

	hash_text(key, &name);
	place->tar = zp_format("%s/%s.tar", folder, name.ptr);
	place->sum = zp_format("%s/%s.sha256", folder, name.ptr);
	return true;
}

static bool is_sound(const struct place *place)
{
	zp_autobuf wanted = ZP_BUF_INIT, found = ZP_BUF_INIT;

	return zp_file_read(place->sum, 256, &wanted, NULL) == 0 && hash_file(place->tar, &found) == 0 &&
		zp_str_equal(zp_buf_slice(&wanted), zp_buf_slice(&found));
}

int module_cache_take(const char *key, const char *tree)
{
	zp_autofree char *folder = cache_folder();
	zp_cleanup(place_release) struct place place = { 0 };

	if (!folder || !find_place(key, folder, &place) || !zp_file_exists(place.tar))
		return 0;
	if (is_sound(&place) && zp_mkdirs(tree, 0755, NULL) == 0 && module_unpack(place.tar, tree, NULL) == 0)
		return 1;
	zp_log(ZP_LOG_WARN, "%s was damaged: it is fetched again", place.tar);
	unlink(place.sum);
	unlink(place.tar);
	zp_remove_tree(tree, NULL);
	return 0;
}

/* ---- keeping ---- */

static bool copy_file(struct archive *tar, const char *path)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char chunk[CHUNK];
	ssize_t length = -1;

	while (fd >= 0 && (length = read(fd, chunk, sizeof(chunk))) > 0)
		if (archive_write_data(tar, chunk, (size_t)length) < length)
			return false;
	return length == 0;
}

/* Owners and times say nothing of a module. */
static bool add_entry(struct archive *tar, struct archive_entry *entry, const char *tree)
{
	zp_autofree char *path = zp_strdup(archive_entry_sourcepath(entry));
	const char *inner = path + strlen(tree);

	if (!*inner)
		return true;
	archive_entry_set_pathname(entry, inner + 1);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_uname(entry, "");
	archive_entry_set_gname(entry, "");
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_unset_atime(entry);
	archive_entry_unset_ctime(entry);
	archive_entry_set_hardlink(entry, NULL);
	if (archive_entry_filetype(entry) != AE_IFREG)
		archive_entry_set_size(entry, 0);
	if (archive_write_header(tar, entry) != ARCHIVE_OK)
		return false;
	return archive_entry_filetype(entry) != AE_IFREG || copy_file(tar, path);
}

static bool pack(const char *tree, const char *path)
{
	struct archive *from = archive_read_disk_new(), *tar = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int rc = ARCHIVE_FATAL;
	bool ok = archive_write_set_format_pax_restricted(tar) == ARCHIVE_OK &&
		archive_write_open_filename(tar, path) == ARCHIVE_OK &&
		archive_read_disk_set_symlink_physical(from) == ARCHIVE_OK &&
		archive_read_disk_open(from, tree) == ARCHIVE_OK;

	while (ok && (rc = archive_read_next_header2(from, entry)) == ARCHIVE_OK) {
		archive_read_disk_descend(from);
		ok = add_entry(tar, entry, tree);
		archive_entry_clear(entry);
	}
	ok = ok && rc == ARCHIVE_EOF && archive_write_close(tar) == ARCHIVE_OK;
	archive_entry_free(entry);
	archive_read_free(from);
	archive_write_free(tar);
	return ok;
}

void module_cache_keep(const char *key, const char *tree)
{
	zp_autofree char *folder = cache_folder();
	zp_cleanup(place_release) struct place place = { 0 };
	zp_autobuf sum = ZP_BUF_INIT;

	if (!folder || zp_mkdirs(folder, 0700, NULL) < 0 || !find_place(key, folder, &place))
		return;
	zp_autofree char *fresh = zp_format("%s.%d", place.tar, (int)getpid());
	/* The checksum last: a copy without one is no copy. */
	unlink(place.sum);
	if (!pack(tree, fresh) || hash_file(fresh, &sum) < 0 || rename(fresh, place.tar) < 0 ||
		zp_file_write_atomic(place.sum, zp_buf_slice(&sum), 0600, NULL) < 0)
		unlink(fresh);
}
