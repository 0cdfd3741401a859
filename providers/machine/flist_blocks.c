#include "providers/machine/flist_blocks.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <snappy-c.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "providers/machine/download.h"

#define MAX_STORED (1024 * 1024)
#define ID_TEXT 65
#define NONCE 12
#define TAG 16
#define TRIES 4
#define PAUSE_MS 250
#define CONNECT_SECONDS 30
#define STALLED_SECONDS 60

struct provider_fetcher {
	CURL *curl;
	struct zp_buf stored;
	char *packed; /* MAX_STORED */
};

int provider_blocks_init(
	struct provider_blocks *blocks, const char *cache, bool local, struct zp_error *err)
{
	*blocks =
		(struct provider_blocks){ .folder = zp_format("%s/blocks", cache), .local = local };
	return zp_mkdirs(blocks->folder, 0700, err);
}

void provider_blocks_release(struct provider_blocks *blocks)
{
	for (size_t i = 0; i < blocks->routes.count; i++)
		free(blocks->routes.items[i].url);
	zp_vec_release(&blocks->routes);
	free(blocks->folder);
	blocks->folder = NULL;
}

void provider_blocks_route(
	struct provider_blocks *blocks, uint8_t first, uint8_t last, const char *url)
{
	struct provider_route *route = zp_vec_add(&blocks->routes);

	route->first = first;
	route->last = last;
	route->url = zp_strndup(url, strlen(url));
	for (size_t len = strlen(url); len && route->url[len - 1] == '/'; len--)
		route->url[len - 1] = '\0';
}

struct provider_fetcher *provider_fetcher_new(void)
{
	struct provider_fetcher *fetcher = zp_malloc(sizeof(*fetcher));

	provider_curl_prepare();
	*fetcher = (struct provider_fetcher){ .packed = zp_malloc(MAX_STORED) };
	return fetcher;
}

void provider_fetcher_free(struct provider_fetcher *fetcher)
{
	if (!fetcher)
		return;
	if (fetcher->curl)
		curl_easy_cleanup(fetcher->curl);
	zp_buf_release(&fetcher->stored);
	free(fetcher->packed);
	free(fetcher);
}

/* ---- what is stored, and what it holds ---- */

static bool hashes_to(const void *data, size_t len, const uint8_t expected[32])
{
	uint8_t found[32];

	crypto_generichash(found, sizeof(found), data, len, NULL, 0);
	return memcmp(found, expected, sizeof(found)) == 0;
}

static void cipher_release(EVP_CIPHER_CTX **cipher)
{
	EVP_CIPHER_CTX_free(*cipher);
}

/* Length of what is in there, or -1. */
static int decrypt(const struct zp_buf *stored, const uint8_t key[32], char *out)
{
	zp_cleanup(cipher_release) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	unsigned char *bytes = (unsigned char *)stored->ptr;
	int len = 0, rest = 0, sealed = (int)stored->len - TAG;

	if (!cipher || sealed < 0 ||
		EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, NULL, NULL) != 1 ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_IVLEN, NONCE, NULL) != 1 ||
		EVP_DecryptInit_ex(cipher, NULL, NULL, key, key) != 1 ||
		EVP_DecryptUpdate(cipher, (unsigned char *)out, &len, bytes, sealed) != 1 ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, bytes + sealed) != 1 ||
		EVP_DecryptFinal_ex(cipher, (unsigned char *)out + len, &rest) != 1)
		return -1;
	return len + rest;
}

static int open_block(struct provider_fetcher *fetcher, const struct provider_block *block,
	char *data, size_t *len, struct zp_error *err)
{
	int packed = decrypt(&fetcher->stored, block->key, fetcher->packed);

	*len = PROVIDER_BLOCK_BYTES;
	if (packed < 0)
		return zp_error_set(err, "its key does not open it");
	if (snappy_uncompressed_length(fetcher->packed, (size_t)packed, len) != SNAPPY_OK ||
		*len > PROVIDER_BLOCK_BYTES ||
		snappy_uncompress(fetcher->packed, (size_t)packed, data, len) != SNAPPY_OK ||
		!hashes_to(data, *len, block->key))
		return zp_error_set(err, "what it holds is damaged");
	return 0;
}

/* ---- stores ---- */

static size_t take(char *bytes, size_t size, size_t count, void *data)
{
	struct zp_buf *out = data;
	size_t len = size * count;

	if (out->len + len > MAX_STORED)
		return 0;
	zp_buf_add(out, bytes, len);
	return len;
}

static void set_options(CURL *curl, struct zp_buf *out, char *reason)
{
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
}

/* 0, 1 when the store does not have it, -1 with err. */
static int get_once(
	struct provider_fetcher *fetcher, const char *url, bool *passing, struct zp_error *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status = 0;

	if (!fetcher->curl && !(fetcher->curl = curl_easy_init()))
		return zp_error_set(err, "no memory");
	zp_buf_clear(&fetcher->stored);
	set_options(fetcher->curl, &fetcher->stored, reason);
	curl_easy_setopt(fetcher->curl, CURLOPT_URL, url);
	code = curl_easy_perform(fetcher->curl);
	curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 410))
		return 1;
	*passing = code != CURLE_WRITE_ERROR && code != CURLE_URL_MALFORMAT &&
		   (code != CURLE_HTTP_RETURNED_ERROR || status >= 500);
	return zp_error_set(err, "%s", reason[0] ? reason : curl_easy_strerror(code));
}

static int get_http(struct provider_fetcher *fetcher, const char *url, struct zp_error *err)
{
	struct timespec pause = { 0, PAUSE_MS * 1000000L };
	int rc = -1;

	for (int i = 1; i <= TRIES; i++) {
		bool passing = false;

		rc = get_once(fetcher, url, &passing, err);
		if (rc >= 0 || !passing)
			return rc;
		nanosleep(&pause, NULL);
	}
	return rc;
}

static int get_file(struct provider_fetcher *fetcher, const char *path, struct zp_error *err)
{
	zp_buf_clear(&fetcher->stored);
	if (!zp_file_exists(path))
		return 1;
	return zp_file_read(path, MAX_STORED, &fetcher->stored, err);
}

/* 0, 1 when it is not there, -1 with err. */
static int get_at(struct provider_blocks *blocks, struct provider_fetcher *fetcher, const char *url,
	struct zp_error *err)
{
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return get_http(fetcher, url, err);
	if (strncmp(url, "dir://", 6) != 0)
		return zp_error_code(err, NODE_E_INVALID,
			"a store of this kind can not be read, only dir://, http:// and https://");
	if (!blocks->local)
		return zp_error_code(err, NODE_E_DENIED,
			"a store in a folder of the node is for the node's owner only");
	return get_file(fetcher, url + 6, err);
}

static int get_from(struct provider_blocks *blocks, struct provider_fetcher *fetcher,
	struct provider_route *route, const char *id, struct zp_error *err)
{
	bool flat = route->flat;
	int rc = 1;

	for (int i = 0; i < 2 && rc == 1; i++, flat = !flat) {
		zp_autofree char *url = flat ? zp_format("%s/%s", route->url, id)
					     : zp_format("%s/%.2s/%s", route->url, id, id);

		rc = get_at(blocks, fetcher, url, err);
		if (rc == 0)
			route->flat = flat;
	}
	return rc == 1 ? zp_error_set(err, "it is not there") : rc;
}

/* ---- the cache ---- */

static bool get_cached(const struct provider_blocks *blocks, struct provider_fetcher *fetcher,
	const char *id, const struct provider_block *block)
{
	zp_autofree char *path = zp_format("%s/%s", blocks->folder, id);

	if (get_file(fetcher, path, NULL) != 0 ||
		!hashes_to(fetcher->stored.ptr, fetcher->stored.len, block->id))
		return false;
	utimensat(AT_FDCWD, path, NULL, 0);
	return true;
}

/* Not to be fetched again when this attempt fails later. Losing it costs no more than that. */
static void keep(const struct provider_blocks *blocks, const struct provider_fetcher *fetcher,
	const char *id)
{
	zp_autofree char *path = zp_format("%s/%s", blocks->folder, id);
	zp_autofree char *fresh = zp_format("%s.XXXXXX", path);
	zp_autoclose int fd = mkostemp(fresh, O_CLOEXEC);

	if (fd >= 0 && (zp_write_all(fd, fetcher->stored.ptr, fetcher->stored.len, NULL) < 0 ||
			       rename(fresh, path) != 0))
		unlink(fresh);
}

/* Every store that may have it is asked, until one gives it whole. */
static int fetch(struct provider_blocks *blocks, struct provider_fetcher *fetcher, const char *id,
	const struct provider_block *block, struct zp_error *err)
{
	zp_error_set(err, "the flist names no store for it");
	for (size_t i = 0; i < blocks->routes.count; i++) {
		struct provider_route *route = &blocks->routes.items[i];
		zp_autofree char *shown = provider_url_display(route->url);

		if (block->id[0] < route->first || block->id[0] > route->last)
			continue;
		if (get_from(blocks, fetcher, route, id, err) < 0) {
			zp_error_wrap(err, "%s", shown);
			continue;
		}
		if (hashes_to(fetcher->stored.ptr, fetcher->stored.len, block->id)) {
			if (strncmp(route->url, "dir://", 6) != 0)
				keep(blocks, fetcher, id);
			return 0;
		}
		zp_error_set(err, "%s: what is stored there is damaged", shown);
	}
	return -1;
}

int provider_block_get(struct provider_blocks *blocks, struct provider_fetcher *fetcher,
	const struct provider_block *block, char *data, size_t *len, struct zp_error *err)
{
	zp_autoerror reason = ZP_ERROR_INIT;
	char id[ID_TEXT];

	sodium_bin2hex(id, sizeof(id), block->id, sizeof(block->id));
	if ((get_cached(blocks, fetcher, id, block) ||
		    fetch(blocks, fetcher, id, block, &reason) == 0) &&
		open_block(fetcher, block, data, len, &reason) == 0)
		return 0;
	return zp_error_code(err, reason.code, "block %s: %s", id, zp_error_text(&reason));
}
