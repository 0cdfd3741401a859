#include "modules/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define MAX_TEXT ((size_t)4 << 20)

static void start_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void need_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_library);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct module_http *http = data;
	size_t length = size * count;

	return !http->take || http->take(http->data, bytes, length) ? length : 0;
}

static struct zp_str trimmed(struct zp_str text)
{
	while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
		text.len--;
	for (; text.len && isspace((unsigned char)*text.ptr); text.len--)
		text.ptr++;
	return text;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
	struct module_http *http = data;
	struct zp_str line = trimmed(zp_strn(bytes, size * count));
	size_t wanted = http->header ? strlen(http->header) : 0;

	if (zp_str_starts(line, "HTTP/")) { /* of the next answer, after a redirect */
		free(http->value);
		http->value = NULL;
	} else if (wanted && line.len > wanted && line.ptr[wanted] == ':' &&
		strncasecmp(line.ptr, http->header, wanted) == 0) {
		struct zp_str value =
			trimmed(zp_strn(line.ptr + wanted + 1, line.len - wanted - 1));
		free(http->value);
		http->value = zp_strndup(value.ptr, value.len);
	}
	return size * count;
}

static void set_options(CURL *handle, struct module_http *http, char *reason)
{
	const char *authorities = getenv("SSL_CERT_FILE");
	bool safe = strncmp(http->url, "https:", 6) == 0;

	if (authorities && *authorities)
		curl_easy_setopt(handle, CURLOPT_CAINFO, authorities);
	curl_easy_setopt(handle, CURLOPT_URL, http->url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, safe ? "https" : "http,https");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, 60L);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(handle, CURLOPT_HEADERDATA, http);
	if (http->token && safe) {
		curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, http->token);
	}
}

int module_http_get(struct module_http *http, struct zp_error *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	char *arrived = NULL;

	need_library();
	CURL *handle = curl_easy_init();
	if (!handle)
		return zp_error_set(err, "out of memory");
	set_options(handle, http, reason);
	CURLcode code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &http->status);
	if (curl_easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &arrived) == CURLE_OK && arrived)
		http->arrived = zp_strdup(arrived);
	curl_easy_cleanup(handle);
	return code == CURLE_OK ? 0 :
				  zp_error_set(err, "%s", *reason ? reason : curl_easy_strerror(code));
}

static bool take_text(void *data, const char *bytes, size_t length)
{
	struct zp_buf *out = data;

	if (length > MAX_TEXT - out->len)
		return false;
	zp_buf_add(out, bytes, length);
	return true;
}

int module_http_text(struct module_http *http, struct zp_buf *out, struct zp_error *err)
{
	http->take = take_text;
	http->data = out;
	if (module_http_get(http, err) < 0)
		return -1;
	return http->status < 400 ? 0 : zp_error_set(err, "the server answered %ld", http->status);
}

void module_http_release(struct module_http *http)
{
	free(http->value);
	free(http->arrived);
	http->value = http->arrived = NULL;
}

char *module_http_resolve(const char *base, const char *reference)
{
	char *text = NULL, *result = NULL;

	need_library();
	CURLU *url = curl_url();
	if (url && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_URL, reference, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		result = zp_strdup(text);
	curl_free(text);
	curl_url_cleanup(url);
	return result;
}
