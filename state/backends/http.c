/*
 * A state behind a URL: GET, POST (or as update_method says), DELETE; LOCK and UNLOCK where
 * addresses for them are given. Terraform's protocol, so that its servers serve.
 */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "state/backend.h"
#include "state/lock_info.h"

#define MAX_STATE_BYTES ((size_t)8 << 30)
#define MAX_ANSWER_BYTES ((size_t)1 << 20)
#define MD5_BYTES 16

struct http {
	struct state_backend backend;
	struct state_settings settings;
	CURL *curl;
	char *lock_id;	 /* of the lock this run holds, or NULL */
	char *lock_text; /* as sent, or NULL */
};

struct answer {
	struct zp_buf body;
	size_t limit;
	char md5[64]; /* Content-MD5 as given, or "" */
};

static struct http *http_of(struct state_backend *backend)
{
	return (struct http *)backend;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct answer *answer = context;

	if (answer->body.len + size * count > answer->limit)
		return 0;
	zp_buf_add(&answer->body, data, size * count);
	return size * count;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	static const char name[] = "content-md5:";
	struct answer *answer = context;
	size_t length = size * count, skip = sizeof(name) - 1;

	if (length <= skip || strncasecmp(data, name, skip) != 0)
		return length;
	while (skip < length && (data[skip] == ' ' || data[skip] == '\t'))
		skip++;
	size_t end = length;
	while (end > skip &&
		(data[end - 1] == '\r' || data[end - 1] == '\n' || data[end - 1] == ' '))
		end--;
	if (end - skip < sizeof(answer->md5)) {
		memcpy(answer->md5, data + skip, end - skip);
		answer->md5[end - skip] = 0;
	}
	return length;
}

/* The digest of the protocol's header, as base64. */
static void digest(struct zp_str text, char out[64])
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	*out = 0;
	if (EVP_Digest(text.ptr, text.len, md5, &length, EVP_md5(), NULL) == 1 &&
		length == MD5_BYTES)
		EVP_EncodeBlock((unsigned char *)out, md5, MD5_BYTES);
}

static void set_pem(CURL *curl, CURLoption option, const char *pem)
{
	struct curl_blob blob = { (void *)pem, pem ? strlen(pem) : 0, CURL_BLOB_COPY };

	if (pem)
		curl_easy_setopt(curl, option, &blob);
}

static void set_security(struct http *http)
{
	const struct state_settings *settings = &http->settings;
	CURL *curl = http->curl;

	if (state_setting(settings, "username")) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, state_setting(settings, "username"));
		curl_easy_setopt(curl, CURLOPT_PASSWORD,
			state_setting(settings, "password") ? state_setting(settings, "password")
							    : "");
	}
	if (state_setting_bool(settings, "skip_cert_verification")) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	set_pem(curl, CURLOPT_CAINFO_BLOB, state_setting(settings, "client_ca_certificate_pem"));
	set_pem(curl, CURLOPT_SSLCERT_BLOB, state_setting(settings, "client_certificate_pem"));
	set_pem(curl, CURLOPT_SSLKEY_BLOB, state_setting(settings, "client_private_key_pem"));
}

static struct curl_slist *headers_of(struct zp_str body)
{
	char md5[64];
	/* Servers that do not know "100 Continue" would cost a second. */
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	if (!body.len)
		return headers;
	digest(body, md5);
	zp_autofree char *line = zp_format("Content-MD5: %s", md5);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	return curl_slist_append(headers, line);
}

/* One attempt. The status, or 0 with err when there was no answer. */
static long attempt(struct http *http, const char *method, const char *url, struct zp_str body,
	struct answer *answer, struct zp_error *err)
{
	CURL *curl = http->curl;
	struct curl_slist *headers = headers_of(body);
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;

	zp_buf_clear(&answer->body);
	answer->md5[0] = 0;
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, strcmp(method, "GET") == 0 ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 120L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "zplan/" ZPLAN_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (body.len) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	}
	if (strcmp(method, "GET") != 0)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	set_security(http);
	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	else
		zp_error_set(err, "%s %s: %s", method, http->backend.location,
			*problem ? problem : curl_easy_strerror(code));
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	return status;
}

static bool is_worth_another_try(long status)
{
	return status == 0 || status == 429 || (status >= 500 && status != 501);
}

static void pause_before(const struct http *http, int64_t number)
{
	int64_t least = state_setting_number(&http->settings, "retry_wait_min", 1);
	int64_t most = state_setting_number(&http->settings, "retry_wait_max", 30);
	int64_t seconds = least << (number < 20 ? number : 20);
	struct timespec wait = { seconds < most ? seconds : most, 0 };

	nanosleep(&wait, NULL);
}

static long request(struct http *http, const char *method, const char *url, struct zp_str body,
	struct answer *answer, struct zp_error *err)
{
	int64_t retries = state_setting_number(&http->settings, "retry_max", 2);
	long status;

	for (int64_t n = 0;; n++) {
		if (err)
			zp_error_clear(err);
		status = attempt(http, method, url, body, answer, err);
		if (!is_worth_another_try(status) || n >= retries)
			return status;
		pause_before(http, n);
	}
}

static int refused(
	const struct http *http, long status, const struct answer *answer, struct zp_error *err)
{
	struct zp_str said = zp_buf_slice(&answer->body);

	if (status == 0)
		return -1; /* err says why */
	if (status == 401)
		return zp_error_set(err, "HTTP remote state endpoint requires auth");
	if (status == 403)
		return zp_error_set(err, "HTTP remote state endpoint invalid auth");
	if (status == 500)
		return zp_error_set(err, "HTTP remote state internal server error");
	return zp_error_set(err, "Unexpected HTTP response code %ld from %s%s%.*s", status,
		http->backend.location, said.len ? ": " : "", said.len < 200 ? (int)said.len : 200,
		said.ptr);
}

static int load_http(struct state_backend *backend, struct zp_buf *text, struct zp_error *err)
{
	struct http *http = http_of(backend);
	struct answer answer = { .limit = MAX_STATE_BYTES };
	long status = request(http, "GET", state_setting(&http->settings, "address"),
		(struct zp_str){ 0 }, &answer, err);
	int rc = 0;

	if (status == 200 && answer.md5[0]) {
		char md5[64];
		digest(zp_buf_slice(&answer.body), md5);
		if (strcmp(md5, answer.md5) != 0)
			rc = zp_error_set(err,
				"what arrived from %s is not what was sent: its "
				"Content-MD5 does not agree. Try again",
				backend->location);
	} else if (status != 200 && status != 204 && status != 404) {
		rc = refused(http, status, &answer, err);
	}
	if (rc == 0 && status == 200)
		zp_buf_str(text, zp_buf_slice(&answer.body));
	zp_buf_release(&answer.body);
	return rc;
}

static const char *method_of(const struct http *http, const char *setting, const char *otherwise)
{
	const char *method = state_setting(&http->settings, setting);

	return method ? method : otherwise;
}

static int store_http(struct state_backend *backend, struct zp_str text, const struct state *state,
	struct zp_error *err)
{
	struct http *http = http_of(backend);
	const char *address = state_setting(&http->settings, "address");
	zp_autofree char *url = http->lock_id
					? zp_format("%s%cID=%s", address,
						  strchr(address, '?') ? '&' : '?', http->lock_id)
					: zp_strdup(address);
	struct answer answer = { .limit = MAX_ANSWER_BYTES };
	int rc = 0;

	(void)state;
	long status =
		request(http, method_of(http, "update_method", "POST"), url, text, &answer, err);
	if (status != 200 && status != 201 && status != 204)
		rc = refused(http, status, &answer, err);
	zp_buf_release(&answer.body);
	return rc;
}

static int lock_http(struct state_backend *backend, const struct state_lock_info *info,
	struct state_lock_info *holder, struct zp_error *err)
{
	struct http *http = http_of(backend);
	const char *address = state_setting(&http->settings, "lock_address");
	struct answer answer = { .limit = MAX_ANSWER_BYTES };
	zp_autobuf text = ZP_BUF_INIT;
	int rc = 0;

	if (!address)
		return 0; /* as with the peer: a server without locks is used without */
	state_lock_info_write(info, &text);
	long status = request(http, method_of(http, "lock_method", "LOCK"), address,
		zp_buf_slice(&text), &answer, err);
	if (status == 409 || status == 423) {
		state_lock_info_read(zp_buf_slice(&answer.body), holder);
		rc = zp_error_code(err, STATE_LOCKED, "HTTP remote state already locked: ID=%s",
			holder->id ? holder->id : "");
	} else if (status != 200) {
		rc = refused(http, status, &answer, err);
	} else {
		http->lock_id = zp_strdup(info->id);
		http->lock_text = zp_buf_steal(&text);
	}
	zp_buf_release(&answer.body);
	return rc;
}

static int unlock_with(struct http *http, const char *text, struct zp_error *err)
{
	const char *address = state_setting(&http->settings, "unlock_address");
	struct answer answer = { .limit = MAX_ANSWER_BYTES };
	int rc = 0;

	if (!address)
		return 0;
	long status = request(http, method_of(http, "unlock_method", "UNLOCK"), address,
		zp_str(text), &answer, err);
	if (status != 200)
		rc = refused(http, status, &answer, err);
	zp_buf_release(&answer.body);
	return rc;
}

static void forget_lock(struct http *http)
{
	free(http->lock_id);
	free(http->lock_text);
	http->lock_id = http->lock_text = NULL;
}

static int unlock_http(struct state_backend *backend, struct zp_error *err)
{
	struct http *http = http_of(backend);
	int rc = http->lock_text ? unlock_with(http, http->lock_text, err) : 0;

	forget_lock(http);
	return rc;
}

static int break_lock_http(struct state_backend *backend, const char *id, struct zp_error *err)
{
	struct state_lock_info info = { .id = (char *)id };
	zp_autobuf text = ZP_BUF_INIT;

	state_lock_info_write(&info, &text);
	return unlock_with(http_of(backend), text.ptr, err);
}

static void free_http(struct state_backend *backend)
{
	struct http *http = http_of(backend);

	if (http->curl)
		curl_easy_cleanup(http->curl);
	state_settings_release(&http->settings);
	forget_lock(http);
	free(http);
}

#define FROM_ENV(field, upper) .name = #field, .env = "TF_HTTP_" upper
static const struct state_setting settings_http[] = {
	{ FROM_ENV(address, "ADDRESS") },
	{ FROM_ENV(client_ca_certificate_pem, "CLIENT_CA_CERTIFICATE_PEM") },
	{ FROM_ENV(client_certificate_pem, "CLIENT_CERTIFICATE_PEM") },
	{ FROM_ENV(client_private_key_pem, "CLIENT_PRIVATE_KEY_PEM") },
	{ FROM_ENV(lock_address, "LOCK_ADDRESS") },
	{ FROM_ENV(lock_method, "LOCK_METHOD") },
	{ FROM_ENV(password, "PASSWORD") },
	{ FROM_ENV(retry_max, "RETRY_MAX"), .kind = STATE_NUMBER_SETTING },
	{ FROM_ENV(retry_wait_max, "RETRY_WAIT_MAX"), .kind = STATE_NUMBER_SETTING },
	{ FROM_ENV(retry_wait_min, "RETRY_WAIT_MIN"), .kind = STATE_NUMBER_SETTING },
	{ .name = "skip_cert_verification", .kind = STATE_BOOL_SETTING },
	{ FROM_ENV(unlock_address, "UNLOCK_ADDRESS") },
	{ FROM_ENV(unlock_method, "UNLOCK_METHOD") },
	{ FROM_ENV(update_method, "UPDATE_METHOD") },
	{ FROM_ENV(username, "USERNAME") },
};

static bool is_http(const char *url)
{
	return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

static bool check_addresses(const struct state_settings *settings, struct zp_error *err)
{
	static const char *const names[] = { "address", "lock_address", "unlock_address" };

	if (!state_setting(settings, "address")) {
		zp_error_set(err, "address argument is required");
		return false;
	}
	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		const char *url = state_setting(settings, names[i]);
		if (url && !is_http(url)) {
			zp_error_set(err, "%s must be HTTP or HTTPS", names[i]);
			return false;
		}
	}
	if (!state_setting(settings, "client_certificate_pem") !=
		!state_setting(settings, "client_private_key_pem")) {
		zp_error_set(err,
			"client_certificate_pem and client_private_key_pem must be set together");
		return false;
	}
	return true;
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct state_backend *open_http(
	const struct state_settings *settings, const char *workspace, struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!check_addresses(settings, err))
		return NULL;
	if (strcmp(workspace, "default") != 0) {
		zp_error_code(err, STATE_NO_WORKSPACES, "workspaces not supported");
		return NULL;
	}
	pthread_once(&once, start_curl);
	CURL *curl = curl_easy_init();
	if (!curl) {
		zp_error_set(err, "libcurl could not be started");
		return NULL;
	}
	struct http *http = zp_calloc(1, sizeof(*http));
	http->backend.type = &state_http_type;
	http->curl = curl;
	state_settings_copy(&http->settings, settings);
	http->backend.location = state_url_for_messages(state_setting(settings, "address"));
	return &http->backend;
}

const struct state_backend_type state_http_type = {
	.name = "http",
	.settings = settings_http,
	.setting_count = ZP_ARRAY_SIZE(settings_http),
	.open = open_http,
	.lock = lock_http,
	.unlock = unlock_http,
	.break_lock = break_lock_http,
	.load = load_http,
	.store = store_http,
	.free = free_http,
};
