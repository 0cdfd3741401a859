#include "sync/notify.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/uuid.h"
#include "sync/log.h"
#include "sync/rules.h"
#include "sync/webhook.h"

#define LOOK_MS 500
#define TIMEOUT_SECONDS 15L
#define MOST_ATTEMPTS 8
#define MOST_DESCRIPTION 140 /* characters GitHub takes */

struct sync_notifier {
	struct sync_controller *controller;
	pthread_t thread;
	int stop_fd;
};

/* "team/infra" of an address; heap. */
static char *project_of(const struct sync_repository *repository)
{
	if (repository->project)
		return zp_strdup(repository->project);
	zp_autofree char *normal = sync_normal_url(repository->url);
	const char *slash = strchr(normal, '/');

	return zp_strdup(slash ? slash + 1 : normal);
}

static const char *state_for(enum sync_forge forge, const char *state)
{
	if (forge == SYNC_GITLAB)
		return strcmp(state, "failure") == 0 ? "failed" : state;
	return strcmp(state, "running") == 0 ? "pending" : state;
}

static void member(struct zp_json_writer *writer, const char *key, const char *text)
{
	zp_json_key(writer, key);
	zp_json_cstr(writer, text);
}

bool sync_status_request(const struct sync_repository *repository, const struct sync_post *post,
	struct zp_buf *url, struct zp_buf *body)
{
	zp_autofree char *project = project_of(repository);
	zp_autofree char *context = zp_format("zplan/%s", post->stack);
	struct zp_json_writer writer;
	size_t length = strlen(post->message);

	if (repository->forge == SYNC_NO_FORGE || !repository->api_url || !repository->status_token)
		return false;
	if (repository->forge == SYNC_GITLAB) {
		zp_buf_printf(url, "%s/projects/", repository->api_url);
		for (const char *p = project; *p; p++)
			*p == '/' ? zp_buf_puts(url, "%2F") : zp_buf_char(url, *p);
		zp_buf_printf(url, "/statuses/%s", post->commit);
	} else {
		zp_buf_printf(url, "%s/repos/%s/statuses/%s", repository->api_url, project, post->commit);
	}
	/* Not in the middle of a character. */
	if (length > MOST_DESCRIPTION)
		for (length = MOST_DESCRIPTION; length && ((unsigned char)post->message[length] & 0xc0) == 0x80;)
			length--;
	zp_json_writer_init(&writer, body, false);
	zp_json_begin_object(&writer);
	member(&writer, "state", state_for(repository->forge, post->state));
	member(&writer, repository->forge == SYNC_GITLAB ? "name" : "context", context);
	zp_json_key(&writer, "description");
	zp_json_string(&writer, zp_strn(post->message, length));
	zp_json_end_object(&writer);
	return true;
}

static size_t ignore_answer(char *data, size_t size, size_t count, void *user)
{
	(void)data;
	(void)user;
	return size * count;
}

static int send_request(const struct sync_repository *repository, const char *url, const char *body,
	struct zp_error *err)
{
	zp_autofree char *authorization = repository->forge == SYNC_GITLAB ?
		zp_format("PRIVATE-TOKEN: %s", repository->status_token) :
		repository->forge == SYNC_GITEA ? zp_format("Authorization: token %s", repository->status_token) :
						  zp_format("Authorization: Bearer %s", repository->status_token);
	struct curl_slist *headers = curl_slist_append(NULL, authorization);
	CURL *curl = curl_easy_init();
	long status = 0;

	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "zplan/" ZPLAN_VERSION);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_answer);
	if (repository->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, repository->ca_file);
	CURLcode rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (rc != CURLE_OK)
		return zp_error_set(err, "%s: %s", url, curl_easy_strerror(rc));
	return status >= 200 && status < 300 ? 0 : zp_error_set(err, "%s: status %ld", url, status);
}

static const struct sync_repository *find_repository(const struct sync_config *config, const char *name)
{
	for (size_t i = 0; i < config->repository_count; i++)
		if (strcmp(config->repositories[i].name, name) == 0)
			return &config->repositories[i];
	return NULL;
}

static void post_one(struct sync_notifier *notifier, const struct sync_post *post)
{
	struct sync_config *config = sync_controller_config(notifier->controller);
	struct sync_store *store = sync_controller_store(notifier->controller);
	const struct sync_repository *repository = find_repository(config, post->repository);
	zp_autobuf url = ZP_BUF_INIT, body = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	uint32_t random;

	bool wanted = repository && sync_status_request(repository, post, &url, &body);
	int rc = wanted ? send_request(repository, url.ptr, body.ptr, &err) : 0;
	zp_random(&random, sizeof(random));
	if (rc == 0 || post->attempts + 1 >= MOST_ATTEMPTS)
		sync_store_posted(store, post->id, NULL);
	else
		sync_store_postpone(store, post->id, sync_now() + sync_backoff(post->attempts + 1, random), NULL);
	if (rc < 0)
		sync_log(ZP_LOG_WARN, config, post->stack, 0, "commit status not posted: %s", zp_error_text(&err));
	sync_config_unref(config);
}

static void *work(void *data)
{
	struct sync_notifier *notifier = data;
	struct pollfd stop = { notifier->stop_fd, POLLIN, 0 };

	while (poll(&stop, 1, LOOK_MS) <= 0) {
		struct sync_post post;
		while (sync_store_next_post(sync_controller_store(notifier->controller), &post, NULL) > 0) {
			post_one(notifier, &post);
			sync_post_release(&post);
			if (poll(&stop, 1, 0) > 0)
				return NULL;
		}
	}
	return NULL;
}

struct sync_notifier *sync_notify_start(struct sync_controller *controller)
{
	struct sync_notifier *notifier = zp_calloc(1, sizeof(*notifier));

	notifier->controller = controller;
	notifier->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (notifier->stop_fd >= 0 && pthread_create(&notifier->thread, NULL, work, notifier) == 0)
		return notifier;
	if (notifier->stop_fd >= 0)
		close(notifier->stop_fd);
	free(notifier);
	return NULL;
}

void sync_notify_stop(struct sync_notifier *notifier)
{
	uint64_t one = 1;

	if (!notifier)
		return;
	(void)!write(notifier->stop_fd, &one, sizeof(one));
	pthread_join(notifier->thread, NULL);
	close(notifier->stop_fd);
	free(notifier);
}
