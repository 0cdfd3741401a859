/* Modules in archives, through libcurl and libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/file.h"
#include "modules/fetch_internal.h"
#include "modules/http.h"

#define MAX_BYTES ((size_t)1 << 30) /* of the archive, and of what is in it */
#define MAX_ENTRIES 100000
#define CHUNK 65536

/* ---- downloading ---- */

struct download {
	int fd;
	size_t bytes;
	EVP_MD_CTX *digest; /* or NULL */
	bool too_big;
};

static bool take_some(void *data, const char *bytes, size_t length)
{
	struct download *download = data;

	download->too_big = length > MAX_BYTES - download->bytes;
	if (download->too_big || zp_write_all(download->fd, bytes, length, NULL) < 0)
		return false;
	download->bytes += length;
	if (download->digest)
		EVP_DigestUpdate(download->digest, bytes, length);
	return true;
}

static int download(const char *url, struct download *to, struct zp_error *err)
{
	struct module_http http = { .url = url, .take = take_some, .data = to };
	zp_autoerror why = ZP_ERROR_INIT;
	int rc = module_http_get(&http, &why);

	module_http_release(&http);
	if (rc < 0 && to->too_big)
		return zp_error_set(err, "downloading: the archive is larger than %zu MiB", MAX_BYTES >> 20);
	if (rc < 0)
		return zp_error_set(err, "downloading: %s", zp_error_text(&why));
	return http.status < 400 ? 0 : zp_error_set(err, "downloading: the server answered %ld", http.status);
}

/* "sha256:HEX", or HEX alone, whose length tells the kind. NULL when it is neither. */
static const EVP_MD *digest_kind(const char *checksum, const char **hex)
{
	static const char *const names[] = { "md5", "sha1", "sha256", "sha512" };
	const char *colon = strchr(checksum, ':');

	*hex = colon ? colon + 1 : checksum;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		const EVP_MD *kind = EVP_get_digestbyname(names[i]);
		bool named = !colon || zp_str_is(zp_strn(checksum, (size_t)(colon - checksum)), names[i]);
		if (kind && named && strlen(*hex) == 2 * (size_t)EVP_MD_get_size(kind))
			return kind;
	}
	return NULL;
}

static int compare_digest(EVP_MD_CTX *digest, const char *hex, struct zp_error *err)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	zp_autobuf found = ZP_BUF_INIT;
	unsigned length = 0;

	EVP_DigestFinal_ex(digest, bytes, &length);
	for (unsigned i = 0; i < length; i++)
		zp_buf_printf(&found, "%02x", bytes[i]);
	if (strcasecmp(zp_buf_slice(&found).ptr, hex) == 0)
		return 0;
	return zp_error_set(err, "the checksum of what was downloaded is %s, not %s", found.ptr, hex);
}

static int download_checked(const struct module_address *address, const char *path, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct download to = { .fd = fd };
	const char *hex = NULL;
	const EVP_MD *kind = address->checksum ? digest_kind(address->checksum, &hex) : NULL;

	if (fd < 0)
		return zp_error_errno(err, "making %s", path);
	if (address->checksum && !kind)
		return zp_error_set(err, "\"%s\" is no checksum: write sha256:HEX (or md5, sha1, sha512)",
			address->checksum);
	if (kind) {
		to.digest = EVP_MD_CTX_new();
		EVP_DigestInit_ex(to.digest, kind, NULL);
	}
	int rc = download(address->url, &to, err);
	if (rc == 0 && kind)
		rc = compare_digest(to.digest, hex, err);
	EVP_MD_CTX_free(to.digest);
	return rc;
}

/* ---- unpacking ---- */

struct unpacking {
	struct archive *from, *to;
	const char *tree;
	size_t bytes, entries;
};

static int failed(struct archive *archive, struct zp_error *err)
{
	const char *why = archive_error_string(archive);

	return zp_error_set(err, "unpacking: %s", why ? why : "failed");
}

static int copy_data(struct unpacking *work, struct zp_error *err)
{
	char chunk[CHUNK];

	for (;;) {
		la_ssize_t length = archive_read_data(work->from, chunk, sizeof(chunk));
		if (length < 0)
			return failed(work->from, err);
		if (!length)
			return 0;
		work->bytes += (size_t)length;
		if (work->bytes > MAX_BYTES)
			return zp_error_set(err, "unpacking: more than %zu MiB are in it", MAX_BYTES >> 20);
		if (archive_write_data(work->to, chunk, (size_t)length) < length)
			return failed(work->to, err);
	}
}

static int unpack_entry(struct unpacking *work, struct archive_entry *entry, struct zp_error *err)
{
	const char *name = archive_entry_pathname(entry);
	mode_t type = archive_entry_filetype(entry);

	if (!name || !module_path_is_inside(name))
		return zp_error_set(err, "unpacking: \"%s\" would lie outside of the module", name ? name : "");
	if (archive_entry_hardlink(entry) || (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK))
		return zp_error_set(err, "unpacking: \"%s\" is neither file, folder nor symbolic link", name);
	if (++work->entries > MAX_ENTRIES)
		return zp_error_set(err, "unpacking: more than %d files are in it", MAX_ENTRIES);
	zp_autofree char *path = zp_path_join(work->tree, name);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_perm(entry, type == AE_IFDIR || (archive_entry_perm(entry) & 0100) ? 0755 : 0644);
	if (archive_write_header(work->to, entry) != ARCHIVE_OK)
		return failed(work->to, err);
	if (type == AE_IFREG && copy_data(work, err) < 0)
		return -1;
	return archive_write_finish_entry(work->to) == ARCHIVE_OK ? 0 : failed(work->to, err);
}

static int unpack_all(struct unpacking *work, const char *path, struct zp_error *err)
{
	struct archive_entry *entry;

	if (archive_read_open_filename(work->from, path, CHUNK) != ARCHIVE_OK)
		return failed(work->from, err);
	for (;;) {
		int rc = archive_read_next_header(work->from, &entry);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc < ARCHIVE_WARN)
			return failed(work->from, err);
		if (unpack_entry(work, entry, err) < 0)
			return -1;
	}
}

int module_unpack(const char *path, const char *tree, struct zp_error *err)
{
	struct unpacking work = { archive_read_new(), archive_write_disk_new(), tree, 0, 0 };

	archive_read_support_filter_gzip(work.from);
	archive_read_support_filter_bzip2(work.from);
	archive_read_support_filter_xz(work.from);
	archive_read_support_filter_zstd(work.from);
	archive_read_support_format_tar(work.from);
	archive_read_support_format_zip(work.from);
	/* The tree's own path has no links in it: those of the archive are never followed. */
	archive_write_disk_set_options(work.to, ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT);
	int rc = unpack_all(&work, path, err);
	archive_read_free(work.from);
	if (archive_write_free(work.to) != ARCHIVE_OK && rc == 0)
		rc = zp_error_set(err, "unpacking: writing failed");
	return rc;
}

int module_fetch_archive(const struct module_address *address, const char *work, const char *tree,
	struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(work, "archive");

	if (zp_mkdirs(tree, 0755, err) < 0 || download_checked(address, path, err) < 0)
		return -1;
	return module_unpack(path, tree, err);
}
