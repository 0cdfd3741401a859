#include "providers/machine/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/client.h"
#include "providers/machine/tree_hash.h"

#define MAX_REDIRECTS 10
#define CONNECT_SECONDS 30
#define STALLED_SECONDS 60
#define FRUITLESS_TRIES 4 /* in a row, that brought nothing */
#define MAX_TRIES 100
#define PAUSE_MS 250
#define PROGRESS_SECONDS 2

/* One request. */
struct transfer {
	struct provider_download *download;
	CURL *handle;
	int fd;
	int64_t from;	  /* bytes there are */
	int64_t received; /* by this request */
	bool begun, too_large;
	char etag[PROVIDER_VALIDATOR_TEXT], modified[PROVIDER_VALIDATOR_TEXT];
	time_t reported;
	char reason[CURL_ERROR_SIZE];
};

static void handle_release(CURL **handle)
{
	curl_easy_cleanup(*handle);
}

static void list_release(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void provider_curl_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, global_init);
}

char *provider_url_display(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	size_t authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);
	const char *rest = at ? at + 1 : host;

	return zp_format("%.*s%.*s", (int)(host - url), url, (int)strcspn(rest, "?#"), rest);
}

/* ---- what the server says of what it sends ---- */

static void take_header(
	const char *line, size_t len, const char *name, char out[PROVIDER_VALIDATOR_TEXT])
{
	size_t skip = strlen(name);

	if (len <= skip || strncasecmp(line, name, skip) != 0)
		return;
	while (skip < len && line[skip] == ' ')
		skip++;
	while (len > skip && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	out[0] = '\0';
	if (len - skip >= PROVIDER_VALIDATOR_TEXT || memchr(line + skip, '\0', len - skip))
		return;
	memcpy(out, line + skip, len - skip);
	out[len - skip] = '\0';
}

static size_t read_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	size_t len = size * count;

	/* A redirection's headers come first. */
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
		transfer->etag[0] = transfer->modified[0] = '\0';
	take_header(line, len, "ETag:", transfer->etag);
	take_header(line, len, "Last-Modified:", transfer->modified);
	return len;
}

/* A weak tag (W/"x") says that two versions are as good as each other, not the same. */
static void note_validator(const struct transfer *transfer, char out[PROVIDER_VALIDATOR_TEXT])
{
	const char *best = transfer->etag[0] == '"' ? transfer->etag : transfer->modified;

	memmove(out, best, strlen(best) + 1);
}

/* ---- receiving ---- */

static long response_code(CURL *handle)
{
	long code = 0;

	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

/* The first bytes of an answer: is it the rest, or all of it once more? */
static bool begin(struct transfer *transfer)
{
	transfer->begun = true;
	if (transfer->from && response_code(transfer->handle) != 206) {
		transfer->from = 0;
		if (ftruncate(transfer->fd, 0) != 0 || lseek(transfer->fd, 0, SEEK_SET) < 0)
			return false;
	}
	return true;
}

static size_t write_some(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	size_t len = size * count;
	int64_t limit = transfer->download->limit;

	if (!transfer->begun && !begin(transfer))
		return 0;
	transfer->too_large = limit && transfer->from + transfer->received + (int64_t)len > limit;
	if (transfer->too_large || zp_write_all(transfer->fd, bytes, len, NULL) < 0)
		return 0;
	transfer->received += (int64_t)len;
	return len;
}

static int report(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	struct transfer *transfer = data;
	struct provider_download *download = transfer->download;
	time_t second = time(NULL);

	(void)up_total, (void)up;
	if (!download->progress || !transfer->begun ||
		second < transfer->reported + PROGRESS_SECONDS)
		return 0;
	transfer->reported = second;
	download->progress(
		download->data, transfer->from + now, total ? transfer->from + total : -1);
	return 0;
}

static void set_options(CURL *handle, struct transfer *transfer)
{
	curl_easy_setopt(handle, CURLOPT_URL, transfer->download->url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(handle, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
	curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, read_header);
	curl_easy_setopt(handle, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write_some);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, report);
	curl_easy_setopt(handle, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->reason);
}

/* Asks for what is missing, or, with nothing there yet, whether the version at hand is still it. */
static void add_condition(
	const struct transfer *transfer, const char *validator, struct curl_slist **headers)
{
	const char *name = transfer->from      ? "If-Range"
			   : *validator == '"' ? "If-None-Match"
					       : "If-Modified-Since";
	zp_autofree char *header = zp_format("%s: %s", name, validator);
	zp_autofree char *range = zp_format("%lld-", (long long)transfer->from);

	if (*validator)
		*headers = curl_slist_append(*headers, header);
	if (transfer->from)
		curl_easy_setopt(transfer->handle, CURLOPT_RANGE, range);
}

static CURLcode request(struct transfer *transfer, const char *validator)
{
	zp_cleanup(handle_release) CURL *handle = curl_easy_init();
	zp_cleanup(list_release) struct curl_slist *headers = NULL;
	CURLcode code;

	if (!handle)
		return CURLE_OUT_OF_MEMORY;
	transfer->handle = handle;
	set_options(handle, transfer);
	add_condition(transfer, validator, &headers);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(handle);
	/* An empty answer is one too. */
	if (code == CURLE_OK && !transfer->begun && response_code(handle) != 304 &&
		!begin(transfer))
		code = CURLE_WRITE_ERROR;
	if (code == CURLE_OK)
		transfer->download->unchanged = response_code(handle) == 304;
	if (code == CURLE_HTTP_RETURNED_ERROR && response_code(handle) == 416)
		code = CURLE_RANGE_ERROR;
	if (code == CURLE_HTTP_RETURNED_ERROR && response_code(handle) >= 500)
		code = CURLE_RECV_ERROR;
	return code;
}

/* ---- trying again ---- */

static bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_RANGE_ERROR:
		return true;
	default:
		return false;
	}
}

/* What is being downloaded, and which version of it. */
struct part {
	char *path, *note; /* the note holds its validator */
	int fd;
	char validator[PROVIDER_VALIDATOR_TEXT];
};

static void part_release(struct part *part)
{
	if (part->fd >= 0)
		close(part->fd);
	free(part->path);
	free(part->note);
}

/* Nothing can be added to what is there: away with it. */
static int start_anew(struct part *part, struct zp_error *err)
{
	part->validator[0] = '\0';
	unlink(part->note);
	return ftruncate(part->fd, 0) == 0 ? 0 : zp_error_errno(err, "emptying %s", part->path);
}

static int open_part(
	struct part *part, const struct provider_download *download, struct zp_error *err)
{
	char hash[PROVIDER_HASH_TEXT];
	zp_autobuf note = ZP_BUF_INIT;

	provider_text_hash(zp_str(download->url), hash);
	part->path = zp_format("%s/download-%s", download->folder, hash);
	part->note = zp_format("%s.version", part->path);
	part->fd = open(part->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (part->fd < 0 || flock(part->fd, LOCK_EX) != 0)
		return zp_error_errno(err, "opening %s", part->path);
	if (zp_file_read(part->note, sizeof(part->validator) - 1, &note, NULL) == 0 && note.len)
		memcpy(part->validator, note.ptr, note.len + 1);
	return *part->validator || download->promised ? 0 : start_anew(part, err);
}

/* The version is written down when the first bytes have come, so that another process knows it too.
 */
static void note_version(struct part *part, const struct transfer *transfer)
{
	char validator[PROVIDER_VALIDATOR_TEXT];

	/* An answer that goes on with what is there is of the version asked for. */
	if (!transfer->begun || transfer->from)
		return;
	note_validator(transfer, validator);
	memcpy(part->validator, validator, sizeof(validator));
	if (!*validator || zp_file_write_atomic(part->note, zp_str(validator), 0600, NULL) < 0)
		unlink(part->note);
}

static int explain(const struct transfer *transfer, CURLcode code, struct zp_error *err)
{
	const char *reason = transfer->reason[0] ? transfer->reason : curl_easy_strerror(code);

	if (transfer->too_large)
		return zp_error_code(err, NODE_E_INVALID,
			"size: the content is larger than the root file system of %lld MB",
			(long long)(transfer->download->limit >> 20));
	if (code == CURLE_WRITE_ERROR)
		return zp_error_set(err, "downloading: writing into the node's cache failed");
	return zp_error_set(err, "downloading: %s", reason);
}

static int fetch_once(struct part *part, struct provider_download *download, CURLcode *code,
	int64_t *received, struct zp_error *err)
{
	struct transfer transfer = { .download = download, .fd = part->fd };

	transfer.from = (int64_t)lseek(part->fd, 0, SEEK_END);
	if (transfer.from < 0)
		return zp_error_errno(err, "downloading");
	*code = request(&transfer, transfer.from ? part->validator : download->validator);
	*received = transfer.received;
	note_version(part, &transfer);
	if (*code == CURLE_OK)
		return 0;
	/* Nor is kept what there is no room for. */
	if (*code == CURLE_RANGE_ERROR || *code == CURLE_WRITE_ERROR ||
		(!*part->validator && !download->promised))
		start_anew(part, NULL);
	return explain(&transfer, *code, err);
}

static int fetch_all(struct part *part, struct provider_download *download, struct zp_error *err)
{
	for (int i = 0, fruitless = 0; i < MAX_TRIES; i++) {
		struct timespec pause = { 0, PAUSE_MS * 1000000L };
		CURLcode code = CURLE_OK;
		int64_t received = 0;

		if (fetch_once(part, download, &code, &received, err) == 0) {
			zp_error_clear(err);
			return 0;
		}
		fruitless = received ? 0 : fruitless + 1;
		if (!may_pass(code) || fruitless == FRUITLESS_TRIES)
			return -1;
		for (int n = 0; n < fruitless; n++)
			nanosleep(&pause, NULL);
	}
	return -1;
}

char *provider_download(struct provider_download *download, struct zp_error *err)
{
	zp_autofree char *path = zp_format("%s/archive-XXXXXX", download->folder);
	zp_cleanup(part_release) struct part part = { .fd = -1 };
	zp_autoerror reason = ZP_ERROR_INIT;
	zp_autoclose int own = -1;

	provider_curl_prepare();
	download->unchanged = false;
	if (open_part(&part, download, err) < 0)
		return NULL;
	if (fetch_all(&part, download, &reason) < 0) {
		zp_error_code(err, reason.code, "%s", zp_error_text(&reason));
		if (lseek(part.fd, 0, SEEK_END) == 0)
			unlink(part.path);
		return NULL;
	}
	if (!download->unchanged)
		memcpy(download->validator, part.validator, sizeof(part.validator));
	unlink(part.note);
	if (download->unchanged) {
		unlink(part.path);
		return NULL;
	}
	own = mkostemp(path, O_CLOEXEC);
	if (own < 0 || rename(part.path, path) != 0) {
		zp_error_errno(err, "keeping %s", path);
		return NULL;
	}
	return zp_steal(path);
}
