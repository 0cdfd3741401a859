#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "sync/http_internal.h"
#include "sync/log.h"
#include "sync/metrics.h"
#include "sync/status.h"
#include "sync/turn.h"

#define STACKS "/api/v1/stacks/"
#define MOST_RUNS 1000

void sync_reply_error(struct sync_reply *reply, unsigned status, const char *why)
{
	struct zp_json_writer writer;

	reply->status = status;
	reply->type = "application/json";
	zp_buf_clear(&reply->text);
	zp_json_writer_init(&writer, &reply->text, false);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "error");
	zp_json_cstr(&writer, why);
	zp_json_end_object(&writer);
	zp_buf_char(&reply->text, '\n');
}

static int64_t number(const char *text, int64_t fallback)
{
	char *end;
	long long n = text ? strtoll(text, &end, 10) : 0;

	return text && *text && !*end && n >= 0 ? n : fallback;
}

static void asked(struct sync_reply *reply, const struct sync_call *call)
{
	reply->status = 202;
	zp_buf_puts(&reply->text, "{}\n");
	sync_controller_wake(call->controller);
}

static void decide(const struct sync_call *call, const char *stack, bool approve, struct sync_reply *reply)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_store_decide(sync_controller_store(call->controller), stack, number(call->run, 0), approve,
		    "api", &err) < 0) {
		sync_reply_error(reply, 409, zp_error_text(&err));
		return;
	}
	sync_log(ZP_LOG_INFO, call->config, stack, 0, approve ? "approved" : "rejected");
	asked(reply, call);
}

static void run_now(const struct sync_call *call, const char *stack, struct sync_reply *reply)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_store_ask(sync_controller_store(call->controller), stack, "manual", true, &err) < 0)
		sync_reply_error(reply, 500, zp_error_text(&err));
	else
		asked(reply, call);
}

static void show_plan(const struct sync_call *call, const char *stack, struct sync_reply *reply)
{
	zp_autofree char *plan = sync_stack_plan(call->config, stack);

	if (!plan) {
		sync_reply_error(reply, 404, "no plan waits for approval");
		return;
	}
	reply->type = "text/markdown; charset=utf-8";
	zp_buf_puts(&reply->text, plan);
}

static void about_stack(const struct sync_call *call, struct sync_reply *reply)
{
	const char *rest = call->path + strlen(STACKS);
	size_t length = strcspn(rest, "/");
	zp_autofree char *stack = zp_strndup(rest, length);
	const char *verb = rest[length] ? rest + length + 1 : "";
	bool post = strcmp(call->method, "POST") == 0;

	if (!sync_config_stack(call->config, stack))
		sync_reply_error(reply, 404, "unknown stack");
	else if (post && strcmp(verb, "approve") == 0)
		decide(call, stack, true, reply);
	else if (post && strcmp(verb, "reject") == 0)
		decide(call, stack, false, reply);
	else if (post && strcmp(verb, "run") == 0)
		run_now(call, stack, reply);
	else if (!post && strcmp(verb, "plan") == 0)
		show_plan(call, stack, reply);
	else
		sync_reply_error(reply, 404, "not found");
}

void sync_api(const struct sync_call *call, struct sync_reply *reply)
{
	struct sync_store *store = sync_controller_store(call->controller);
	bool get = strcmp(call->method, "GET") == 0;
	zp_autoerror err = ZP_ERROR_INIT;
	int64_t idle, limit = number(call->limit, 20);
	int rc = 0, running;

	if (strncmp(call->path, STACKS, strlen(STACKS)) == 0) {
		about_stack(call, reply);
	} else if (get && strcmp(call->path, "/metrics") == 0) {
		reply->type = "text/plain; version=0.0.4";
		sync_controller_pulse(call->controller, &running, &idle);
		sync_metrics(call->config, store, running, &reply->text);
	} else if (get && strcmp(call->path, "/api/v1/status") == 0) {
		rc = sync_status_json(call->config, store, &reply->text, &err);
	} else if (get && strcmp(call->path, "/api/v1/history") == 0) {
		rc = sync_history_json(store, call->stack, (int)(limit < MOST_RUNS ? limit : MOST_RUNS),
			&reply->text, &err);
	} else {
		sync_reply_error(reply, 404, "not found");
	}
	if (rc < 0)
		sync_reply_error(reply, 500, zp_error_text(&err));
}
