#include "providers/machine/tree_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define BLOCK 4096
#define CHUNK (1 << 16)

static void digest_release(EVP_MD_CTX **digest)
{
	EVP_MD_CTX_free(*digest);
}

static void walk_release(FTS **walk)
{
	if (*walk)
		fts_close(*walk);
}

#define autodigest zp_cleanup(digest_release) EVP_MD_CTX

/* Never NULL: the two kinds are always there, so failing means no memory. */
static EVP_MD_CTX *start(const EVP_MD *kind)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (!digest || EVP_DigestInit_ex(digest, kind, NULL) != 1)
		abort();
	return digest;
}

static void finish(EVP_MD_CTX *digest, char out[PROVIDER_HASH_TEXT])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	EVP_DigestFinal_ex(digest, bytes, &len);
	for (unsigned int i = 0; i < len && i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int add_file(EVP_MD_CTX *digest, const char *path, struct zp_error *err)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	zp_autofree char *chunk = zp_malloc(CHUNK);
	ssize_t len;

	if (fd < 0)
		return zp_error_errno(err, "opening %s", path);
	while ((len = read(fd, chunk, CHUNK)) != 0) {
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return zp_error_errno(err, "reading %s", path);
		EVP_DigestUpdate(digest, chunk, (size_t)len);
	}
	return 0;
}

static int add_link(EVP_MD_CTX *digest, const char *path, struct zp_error *err)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len < 0)
		return zp_error_errno(err, "reading the link %s", path);
	EVP_DigestUpdate(digest, target, (size_t)len);
	return 0;
}

static int add_entry(EVP_MD_CTX *digest, const FTSENT *entry, size_t root_len,
	struct provider_tree *out, struct zp_error *err)
{
	const struct stat *st = entry->fts_statp;
	const char *name = entry->fts_path + root_len;
	/* "folder" and "folder/" hold the same. */
	zp_autofree char *facts = zp_format("%s%c%o %u %u %lld %lld.%09ld %llx%c",
		name + strspn(name, "/"), '\0', st->st_mode, st->st_uid, st->st_gid,
		S_ISREG(st->st_mode) ? (long long)st->st_size : 0LL, (long long)st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec, (unsigned long long)st->st_rdev, '\0');
	size_t name_len = strlen(facts) + 1;

	out->entries++;
	EVP_DigestUpdate(digest, facts, name_len);
	EVP_DigestUpdate(digest, facts + name_len, strlen(facts + name_len) + 1);
	if (S_ISLNK(st->st_mode))
		return add_link(digest, entry->fts_path, err);
	if (!S_ISREG(st->st_mode))
		return 0;
	out->bytes += (st->st_size + BLOCK - 1) / BLOCK * BLOCK;
	return add_file(digest, entry->fts_path, err);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int provider_tree_hash(const char *path, struct provider_tree *out, struct zp_error *err)
{
	char *const roots[] = { (char *)path, NULL };
	autodigest *digest = start(EVP_sha256());
	zp_cleanup(walk_release) FTS *walk =
		fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	FTSENT *entry;

	memset(out, 0, sizeof(*out));
	if (!walk)
		return zp_error_errno(err, "reading %s", path);
	while ((errno = 0, entry = fts_read(walk))) {
		if (entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
			entry->fts_info == FTS_NS)
			return zp_error_code(err, entry->fts_errno, "reading %s: %s",
				entry->fts_path, strerror(entry->fts_errno));
		if (add_entry(digest, entry, strlen(path), out, err) < 0)
			return -1;
	}
	if (errno)
		return zp_error_errno(err, "reading %s", path);
	finish(digest, out->hash);
	return 0;
}

int provider_file_hash(
	const char *path, int bits, char out[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	autodigest *digest = start(bits == 128 ? EVP_md5() : EVP_sha256());

	if (add_file(digest, path, err) < 0)
		return -1;
	finish(digest, out);
	return 0;
}

void provider_text_hash(struct zp_str text, char out[PROVIDER_HASH_TEXT])
{
	autodigest *digest = start(EVP_sha256());

	EVP_DigestUpdate(digest, text.ptr, text.len);
	finish(digest, out);
}
