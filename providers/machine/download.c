#include "providers/machine/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "providers/machine/tree_hash.h"

#define MAX_REDIRECTS 10
#define CONNECT_SECONDS 30
#define STALLED_SECONDS 60

static size_t write_some(char *data, size_t size, size_t count, void *to)
{
	int fd = *(int *)to;

	return zp_write_all(fd, data, size * count, NULL) < 0 ? 0 : size * count;
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void handle_release(CURL **handle)
{
	curl_easy_cleanup(*handle);
}

static CURLcode fetch(const char *url, int fd, curl_off_t from, char *reason)
{
	zp_cleanup(handle_release) CURL *handle = curl_easy_init();

	if (!handle)
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(handle, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
	curl_easy_setopt(handle, CURLOPT_RESUME_FROM_LARGE, from);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write_some);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, &fd);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
	return curl_easy_perform(handle);
}

/* From where the file ends, or, where the server does not continue, from its beginning. */
static int fetch_file(const char *url, int fd, bool resume, struct zp_error *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	struct stat st;
	CURLcode code;

	if (fstat(fd, &st) != 0 || (!resume && ftruncate(fd, st.st_size = 0) != 0) ||
		lseek(fd, 0, SEEK_END) < 0)
		return zp_error_errno(err, "downloading");
	code = fetch(url, fd, (curl_off_t)st.st_size, reason);
	if (code != CURLE_OK && st.st_size > 0) {
		if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) < 0)
			return zp_error_errno(err, "downloading");
		code = fetch(url, fd, 0, reason);
	}
	if (code != CURLE_OK)
		return zp_error_set(
			err, "downloading: %s", reason[0] ? reason : curl_easy_strerror(code));
	return 0;
}

char *provider_download(
	const char *url, const char *checksum, const char *folder, struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char hash[PROVIDER_HASH_TEXT];

	pthread_once(&once, global_init);
	provider_text_hash(zp_str(url), hash);
	zp_autofree char *part = zp_format("%s/download-%s", folder, hash);
	zp_autofree char *path = zp_format("%s/archive-XXXXXX", folder);
	zp_autoclose int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	zp_autoclose int own = -1;

	/* Whoever wants the same at the same time waits, and finds the file gone: then it starts
	 * anew. */
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		zp_error_errno(err, "opening %s", part);
		return NULL;
	}
	if (fetch_file(url, fd, *checksum != '\0', err) < 0) {
		/* Nothing worth continuing. */
		if (!*checksum || lseek(fd, 0, SEEK_END) == 0)
			unlink(part);
		return NULL;
	}
	own = mkostemp(path, O_CLOEXEC);
	if (own < 0 || rename(part, path) != 0) {
		zp_error_errno(err, "keeping %s", path);
		return NULL;
	}
	return zp_steal(path);
}
