#include "sync/http_internal.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "sync/log.h"
#include "sync/webhook.h"

#define MOST_CONNECTIONS 32
#define MOST_OF_ONE_ADDRESS 16
#define MOST_OF_OTHERS 4096 /* bytes in the body of what is no webhook */
#define IDLE_SECONDS 10
#define STUCK_MS 60000

struct sync_http {
	struct sync_controller *controller;
	struct MHD_Daemon *daemon;
	int port;
};

/* One request while it comes in. */
struct request {
	struct zp_buf body;
	bool too_large;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- who may ---- */

static bool is_local_name(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; host && i < ZP_ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);
		if (strncmp(host, names[i], length) == 0 && (!host[length] || host[length] == ':'))
			return true;
	}
	return false;
}

/* 0, or the status to refuse with. Without a token only programs of this machine may, not its browsers. */
static unsigned refusal(const struct sync_config *config, struct MHD_Connection *connection)
{
	const char *given = header(connection, "Authorization");

	if (!config->token)
		return header(connection, "Origin") || !is_local_name(header(connection, "Host")) ? 403 : 0;
	if (!given || strncasecmp(given, "Bearer ", 7) != 0 || !sync_same_secret(given + 7, config->token))
		return 401;
	return 0;
}

/* ---- webhooks ---- */

static struct sync_hook hook_of(struct MHD_Connection *connection, const char *path,
	const struct request *request)
{
	struct sync_hook hook = { .body = zp_buf_slice(&request->body) };

	/* Gitea sends GitHub's headers too: its own are looked for first. */
	if ((hook.event = header(connection, "X-Gitea-Event"))) {
		hook.forge = SYNC_GITEA;
		hook.signature = header(connection, "X-Gitea-Signature");
	} else if ((hook.event = header(connection, "X-GitHub-Event"))) {
		hook.forge = SYNC_GITHUB;
		hook.signature = header(connection, "X-Hub-Signature-256");
	} else if ((hook.event = header(connection, "X-Gitlab-Event"))) {
		hook.forge = SYNC_GITLAB;
		hook.token = header(connection, "X-Gitlab-Token");
	} else {
		hook.signature = header(connection, "X-Zplan-Signature");
	}
	if (strncmp(path, "/hooks/", 7) == 0 && path[7])
		hook.repository = path + 7;
	return hook;
}

static void triggered(const struct sync_hook_answer *answer, struct sync_reply *reply)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &reply->text, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "triggered");
	zp_json_begin_array(&writer);
	for (size_t i = 0; i < answer->count; i++)
		zp_json_cstr(&writer, answer->stacks[i]->name);
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	zp_buf_char(&reply->text, '\n');
}

static void take_hook(struct sync_http *http, const struct sync_config *config,
	const struct sync_hook *hook, struct sync_reply *reply)
{
	struct sync_hook_answer answer;
	zp_autoerror err = ZP_ERROR_INIT;

	sync_hook_read(config, hook, &answer);
	reply->status = answer.status;
	if (answer.status >= 300) {
		sync_log(ZP_LOG_WARN, config, NULL, 0, "webhook refused: %s", answer.reason);
		sync_reply_error(reply, answer.status, answer.reason);
		return;
	}
	for (size_t i = 0; i < answer.count; i++)
		if (sync_store_ask(sync_controller_store(http->controller), answer.stacks[i]->name, "webhook",
			    false, &err) < 0)
			sync_log(ZP_LOG_ERROR, config, answer.stacks[i]->name, 0, "%s", zp_error_text(&err));
	sync_controller_wake(http->controller);
	triggered(&answer, reply);
	free(answer.stacks);
}

static bool is_hook(const char *path)
{
	return strcmp(path, "/hooks") == 0 || strncmp(path, "/hooks/", 7) == 0;
}

/* ---- requests ---- */

static void tell_health(struct sync_http *http, struct sync_reply *reply)
{
	int64_t idle;
	int running;

	sync_controller_pulse(http->controller, &running, &idle);
	reply->status = idle > STUCK_MS ? 503 : 200;
	reply->type = "text/plain";
	zp_buf_puts(&reply->text, idle > STUCK_MS ? "stuck\n" : "ok\n");
}

static void serve(struct sync_http *http, struct MHD_Connection *connection, const char *method,
	const char *path, const struct request *request, struct sync_reply *reply)
{
	struct sync_config *config = sync_controller_config(http->controller);
	bool hooked = is_hook(path);
	unsigned refused = hooked ? 0 : refusal(config, connection);

	if (request->too_large) {
		sync_reply_error(reply, 413, "the body is too large");
	} else if (strcmp(path, "/healthz") == 0) {
		tell_health(http, reply);
	} else if (hooked && strcmp(method, "POST") == 0) {
		struct sync_hook hook = hook_of(connection, path, request);
		take_hook(http, config, &hook, reply);
	} else if (hooked) {
		sync_reply_error(reply, 405, "hooks are posted");
	} else if (refused) {
		sync_reply_error(reply, refused, refused == 401 ? "token required" : "not from a browser");
	} else {
		struct sync_call call = { http->controller, config, method, path,
			argument(connection, "stack"), argument(connection, "limit"),
			argument(connection, "run") };
		sync_api(&call, reply);
	}
	sync_config_unref(config);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct sync_reply *reply)
{
	size_t length = reply->text.len;
	struct MHD_Response *response = MHD_create_response_from_buffer(length, zp_buf_steal(&reply->text),
		MHD_RESPMEM_MUST_FREE);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (reply->status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called first for the headers, then for each part of the body, then once more. */
static enum MHD_Result handle(void *data, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *part, size_t *size, void **state)
{
	struct sync_http *http = data;
	struct request *request = *state;
	struct sync_reply reply = { 200, "application/json", ZP_BUF_INIT };

	(void)version;
	if (!request) {
		*state = zp_calloc(1, sizeof(*request));
		return MHD_YES;
	}
	if (*size) {
		struct sync_config *config = sync_controller_config(http->controller);
		size_t most = is_hook(path) ? (size_t)config->max_payload : MOST_OF_OTHERS;
		request->too_large |= request->body.len + *size > most;
		sync_config_unref(config);
		if (request->too_large)
			zp_buf_release(&request->body);
		else
			zp_buf_add(&request->body, part, *size);
		*size = 0;
		return MHD_YES;
	}
	serve(http, connection, method, path, request, &reply);
	return send_reply(connection, &reply);
}

static void complete(void *data, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct request *request = *state;

	(void)data;
	(void)connection;
	(void)code;
	if (request)
		zp_buf_release(&request->body);
	free(request);
	*state = NULL;
}

/* ---- start ---- */

static struct addrinfo *resolve(const char *listen, struct zp_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	const char *colon = strrchr(listen, ':');
	bool brackets = *listen == '[' && colon > listen && colon[-1] == ']';
	zp_autofree char *host = zp_strndup(listen + brackets, (size_t)(colon - listen) - 2 * brackets);
	struct addrinfo *found = NULL;

	int rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc)
		zp_error_set(err, "listen %s: %s", listen, gai_strerror(rc));
	return rc ? NULL : found;
}

struct sync_http *sync_http_start(struct sync_controller *controller, const char *listen,
	struct zp_error *err)
{
	struct addrinfo *address = resolve(listen, err);
	struct sync_http *http;

	if (!address)
		return NULL;
	http = zp_calloc(1, sizeof(*http));
	http->controller = controller;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR,
		address->ai_addr, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MOST_OF_ONE_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
		MHD_OPTION_NOTIFY_COMPLETED, complete, NULL, MHD_OPTION_END);
	freeaddrinfo(address);
	if (!http->daemon) {
		zp_error_errno(err, "listen %s", listen);
		free(http);
		return NULL;
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
	http->port = info ? info->port : 0;
	return http;
}

void sync_http_stop(struct sync_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}

int sync_http_port(const struct sync_http *http)
{
	return http->port;
}
