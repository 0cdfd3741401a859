#include "providers/machine/content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "providers/machine/content_build.h"
#include "providers/machine/content_cache.h"
#include "providers/machine/content_kind.h"
#include "providers/machine/download.h"
#include "providers/machine/flight.h"
#include "providers/machine/flist.h"
#include "providers/machine/tree_hash.h"

/* One request on its way. */
struct fetch {
	struct node_context *node;
	const char *id;
	const struct provider_content *content;
	const char *cache;
	char *shown; /* the URL as it may be printed */
};

/* A folder or file at hand, and its hash. */
struct source {
	const struct fetch *fetch;
	const char *path, *name;
	const char *hash;
	struct provider_tree *tree; /* of a folder; else NULL */
};

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

/* ---- from what is at hand into the cache ---- */

static int make_folder(const char *path, struct zp_error *err)
{
	if (mkdir(path, 0755) != 0 || chmod(path, 0755) != 0)
		return zp_error_errno(err, "making %s", path);
	return 0;
}

static void report(void *data, int64_t bytes, int64_t total)
{
	const struct fetch *fetch = data;

	if (total > 0)
		node_progress(fetch->node, fetch->id, "downloading %s: %lld of %lld MB",
			fetch->shown, (long long)(bytes >> 20), (long long)(total >> 20));
	else
		node_progress(fetch->node, fetch->id, "downloading %s: %lld MB", fetch->shown,
			(long long)(bytes >> 20));
}

static int unpack(const struct source *source, enum provider_content_kind kind, const char *folder,
	struct zp_error *err)
{
	const struct fetch *fetch = source->fetch;
	const struct provider_flist flist = { .path = source->path,
		.cache = fetch->cache,
		.limit = fetch->content->limit,
		.local = fetch->content->local,
		.progress = report,
		.data = (void *)fetch };

	if (kind == PROVIDER_CONTENT_FLIST)
		return provider_flist_unpack(&flist, folder, err);
	return provider_build_unpack(source->path, kind, folder, err);
}

/* scratch/tree: what was packed; scratch/new: what the cache is to keep. */
static int build_file(
	const struct source *source, const char *scratch, const char *to, struct zp_error *err)
{
	int64_t limit = source->fetch->content->limit;
	zp_autofree char *folder = zp_format("%s/tree", scratch);
	enum provider_content_kind kind;
	struct provider_tree tree;

	if (provider_content_kind(source->path, source->name, &kind, err) < 0)
		return -1;
	if (kind == PROVIDER_CONTENT_EXT4 || kind == PROVIDER_CONTENT_RAW ||
		kind == PROVIDER_CONTENT_QCOW2)
		return provider_build_image(source->path, kind, to, limit, err);
	if (make_folder(folder, err) < 0 || unpack(source, kind, folder, err) < 0 ||
		provider_tree_hash(folder, &tree, err) < 0)
		return -1;
	return provider_build_folder(folder, &tree, to, limit, err);
}

static int build(const struct source *source, struct zp_error *err)
{
	const struct fetch *fetch = source->fetch;
	zp_autofree char *scratch = provider_cache_scratch(fetch->cache, err);
	zp_autofree char *fresh = scratch ? zp_format("%s/new", scratch) : NULL;
	int rc;

	if (!scratch)
		return -1;
	node_progress(fetch->node, fetch->id, "preparing %s", fetch->shown);
	rc = make_folder(fresh, err);
	if (rc == 0 && source->tree)
		rc = provider_build_folder(
			source->path, source->tree, fresh, fetch->content->limit, err);
	else if (rc == 0)
		rc = build_file(source, scratch, fresh, err);
	if (rc == 0)
		rc = provider_cache_keep(fetch->cache, source->hash, fresh, err);
	zp_remove_tree(scratch, NULL);
	return rc;
}

static int build_missing(void *data, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	const struct source *source = data;

	memcpy(hash, source->hash, PROVIDER_HASH_TEXT);
	return provider_cache_has(source->fetch->cache, hash) ? 0 : build(source, err);
}

/* Gives the hash under which the cache has it now. */
static int bring(struct source *source, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	zp_autofree char *key = zp_format("build %s %s %lld", source->fetch->cache, source->hash,
		(long long)source->fetch->content->limit);

	return provider_flight(key, build_missing, source, hash, err);
}

/* ---- local content ---- */

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

static int bring_folder(const struct fetch *fetch, const char *path, char hash[PROVIDER_HASH_TEXT],
	struct zp_error *err)
{
	struct provider_tree tree;
	struct source source = {
		.fetch = fetch, .path = path, .name = path, .hash = tree.hash, .tree = &tree
	};

	if (*fetch->content->checksum)
		return zp_error_code(err, NODE_E_INVALID, "flist_checksum: a folder has none");
	if (provider_tree_hash(path, &tree, err) < 0)
		return -1;
	return bring(&source, hash, err);
}

static int bring_file(const struct fetch *fetch, const char *path, const char *name,
	char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	char found[PROVIDER_HASH_TEXT];
	struct source source = { .fetch = fetch, .path = path, .name = name, .hash = found };

	if (check_sum(path, fetch->content->checksum, err) < 0 ||
		provider_file_hash(path, 256, found, err) < 0)
		return -1;
	return bring(&source, hash, err);
}

static int bring_local(
	const struct fetch *fetch, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	zp_autofree char *path = provider_content_path(fetch->content->url, err);

	if (!path)
		return -1;
	if (zp_is_directory(path))
		return bring_folder(fetch, path, hash, err);
	if (!zp_file_exists(path))
		return zp_error_code(err, NODE_E_INVALID, "there is no %s on this node", path);
	return bring_file(fetch, path, path, hash, err);
}

/* ---- content from elsewhere ---- */

/* Which version of a URL's content the cache has: its hash, and what the server calls it. */
struct version {
	char *path;
	char hash[PROVIDER_HASH_TEXT];
	char validator[PROVIDER_VALIDATOR_TEXT];
};

static void version_release(struct version *version)
{
	free(version->path);
}

static void version_load(const struct fetch *fetch, struct version *version)
{
	char name[PROVIDER_HASH_TEXT];
	zp_autobuf text = ZP_BUF_INIT;

	provider_text_hash(zp_str(fetch->content->url), name);
	version->path = zp_format("%s/version-%s", fetch->cache, name);
	if (zp_file_read(version->path, sizeof(version->hash) + sizeof(version->validator) - 1,
		    &text, NULL) < 0 ||
		text.len < PROVIDER_HASH_TEXT)
		return;
	memcpy(version->hash, text.ptr, PROVIDER_HASH_TEXT - 1);
	if (provider_cache_has(fetch->cache, version->hash))
		memcpy(version->validator, text.ptr + PROVIDER_HASH_TEXT,
			text.len - PROVIDER_HASH_TEXT + 1);
}

static void version_store(const struct version *version, const char *hash, const char *validator)
{
	zp_autofree char *text = zp_format("%s %s", hash, validator);

	if (!*validator)
		unlink(version->path);
	else
		zp_file_write_atomic(version->path, zp_str(text), 0600, NULL);
}

static int bring_remote(void *data, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	const struct fetch *fetch = data;
	const struct provider_content *content = fetch->content;
	zp_autofree char *plain = zp_strndup(content->url, strcspn(content->url, "?#"));
	struct provider_download download = { .url = content->url,
		.folder = fetch->cache,
		.promised = *content->checksum,
		.limit = content->limit,
		.progress = report,
		.data = data };
	zp_cleanup(version_release) struct version version = { 0 };
	zp_autofree char *file = NULL;
	int rc;

	version_load(fetch, &version);
	/* A promise is about bytes, which are looked at again. */
	if (!*content->checksum)
		memcpy(download.validator, version.validator, sizeof(download.validator));
	node_progress(fetch->node, fetch->id, "downloading %s", fetch->shown);
	file = provider_download(&download, err);
	if (!file && !download.unchanged)
		return -1;
	if (download.unchanged) {
		memcpy(hash, version.hash, PROVIDER_HASH_TEXT);
		return 0;
	}
	rc = bring_file(fetch, file, plain, hash, err);
	unlink(file);
	if (rc == 0)
		version_store(&version, hash, download.validator);
	return rc;
}

/* Content of a known hash needs no server. */
static bool is_known(const struct fetch *fetch, char hash[PROVIDER_HASH_TEXT])
{
	const char *checksum = fetch->content->checksum;

	if (strlen(checksum) != PROVIDER_HASH_TEXT - 1)
		return false;
	for (size_t i = 0; i < PROVIDER_HASH_TEXT; i++)
		hash[i] = checksum[i] >= 'A' && checksum[i] <= 'F' ? (char)(checksum[i] | 0x20)
								   : checksum[i];
	return provider_cache_has(fetch->cache, hash);
}

static int bring_any(struct fetch *fetch, char hash[PROVIDER_HASH_TEXT], struct zp_error *err)
{
	const struct provider_content *content = fetch->content;
	zp_autofree char *key = zp_format("fetch %s %s %lld %s", fetch->cache, content->checksum,
		(long long)content->limit, content->url);

	if (strncmp(content->url, "file://", 7) == 0)
		return bring_local(fetch, hash, err);
	return is_known(fetch, hash) ? 0 : provider_flight(key, bring_remote, fetch, hash, err);
}

/* What follows a mirror's folder is whoever's who wrote the URL: it must stay inside. */
static int check_mirror(const char *mirror, struct zp_error *err)
{
	zp_autofree char *path = NULL;

	if (strncmp(mirror, "file://", 7) != 0)
		return 0;
	path = provider_content_path(mirror, err);
	if (!path)
		return -1;
	if (strstr(path, "/../") || zp_str_ends(zp_str(path), "/.."))
		return zp_error_code(err, NODE_E_INVALID, "the URL leads out of the node's mirror");
	return 0;
}

int provider_content_link(struct node_context *node, const char *id,
	const struct provider_content *content, const char *to, struct zp_error *err)
{
	zp_autofree char *cache = provider_cache_folder(node, err);
	zp_autofree char *shown = provider_url_display(content->url);
	zp_autofree char *mirror = node_mirror_of(node, content->url);
	struct provider_content mirrored = *content;
	struct fetch fetch = {
		.node = node, .id = id, .content = &mirrored, .cache = cache, .shown = shown
	};
	char hash[PROVIDER_HASH_TEXT];

	if (!cache)
		return -1;
	if (mirror)
		mirrored.url = mirror;
	if (mirror && check_mirror(mirror, err) < 0)
		return zp_error_wrap(err, "flist %s", shown);
	if (bring_any(&fetch, hash, err) < 0 || provider_cache_link(cache, hash, to, err) < 0)
		return zp_error_wrap(err, "flist %s", shown);
	return 0;
}

void provider_content_prune(const struct node_context *node)
{
	zp_autofree char *cache = provider_cache_folder(node, NULL);

	if (cache)
		provider_cache_prune(cache);
}
