#include "sync/status.h"

#include <time.h>

#include "base/alloc.h"

static void time_text(int64_t ms, char *out, size_t size)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (!ms || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, size, "-");
}

static void text(struct zp_json_writer *writer, const char *key, const char *value)
{
	zp_json_key(writer, key);
	if (value && *value)
		zp_json_cstr(writer, value);
	else
		zp_json_null(writer);
}

static void moment(struct zp_json_writer *writer, const char *key, int64_t ms)
{
	char value[32];

	time_text(ms, value, sizeof(value));
	text(writer, key, ms ? value : NULL);
}

static void number(struct zp_json_writer *writer, const char *key, int64_t value)
{
	zp_json_key(writer, key);
	zp_json_int(writer, value);
}

static void run_json(struct zp_json_writer *writer, const struct sync_run *run)
{
	zp_json_begin_object(writer);
	number(writer, "id", run->id);
	text(writer, "stack", run->stack);
	text(writer, "commit", run->commit);
	text(writer, "cause", run->cause);
	text(writer, "state", run->state);
	number(writer, "add", run->adds);
	number(writer, "change", run->changes);
	number(writer, "destroy", run->destroys);
	text(writer, "message", run->message);
	text(writer, "decided_by", run->decided_by);
	moment(writer, "created", run->created);
	moment(writer, "planned", run->planned);
	moment(writer, "finished", run->finished);
	zp_json_end_object(writer);
}

/* One word for how a stack is. */
static const char *state_of(const struct sync_stack_row *row, const struct sync_run *open)
{
	if (open->id)
		return open->state;
	if (*row->failed)
		return "failed";
	if (*row->problem)
		return "problem";
	if (*row->rejected)
		return "rejected";
	if (row->drift)
		return "drifted";
	return *row->applied ? "ok" : "new";
}

/* Calls each with what is known of every configured stack. */
static int visit(const struct sync_config *config, struct sync_store *store,
	void (*each)(void *data, const struct sync_stack *stack, const struct sync_stack_row *row,
		const struct sync_run *open),
	void *data, struct zp_error *err)
{
	for (size_t i = 0; i < config->stack_count; i++) {
		struct sync_stack_row row = { 0 };
		struct sync_run open = { 0 };
		int rc = sync_store_stack(store, config->stacks[i].name, &row, err);
		if (rc == 0)
			rc = sync_store_open_run(store, config->stacks[i].name, &open, err);
		if (rc >= 0)
			each(data, &config->stacks[i], &row, &open);
		sync_stack_row_release(&row);
		sync_run_release(&open);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void stack_json(void *data, const struct sync_stack *stack, const struct sync_stack_row *row,
	const struct sync_run *open)
{
	struct zp_json_writer *writer = data;

	zp_json_begin_object(writer);
	text(writer, "name", stack->name);
	text(writer, "state", state_of(row, open));
	text(writer, "repository", stack->repository->url);
	text(writer, "ref", stack->ref);
	text(writer, "path", stack->path);
	text(writer, "applied", row->applied);
	text(writer, "failed", row->failed);
	text(writer, "rejected", row->rejected);
	text(writer, "problem", row->problem);
	number(writer, "failures", row->failures);
	number(writer, "drift", row->drift);
	moment(writer, "checked", row->checked_at);
	moment(writer, "retry", row->retry_at);
	zp_json_key(writer, "run");
	if (open->id)
		run_json(writer, open);
	else
		zp_json_null(writer);
	zp_json_end_object(writer);
}

int sync_status_json(const struct sync_config *config, struct sync_store *store, struct zp_buf *out,
	struct zp_error *err)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	writer.exact_integers = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "stacks");
	zp_json_begin_array(&writer);
	int rc = visit(config, store, stack_json, &writer, err);
	zp_json_end_array(&writer);
	number(&writer, "queue", sync_store_queue_length(store));
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
	return rc;
}

static void stack_text(void *data, const struct sync_stack *stack, const struct sync_stack_row *row,
	const struct sync_run *open)
{
	struct zp_buf *out = data;
	char checked[32];

	time_text(row->checked_at, checked, sizeof(checked));
	zp_buf_printf(out, "%-24s %-11s %-13.12s %-21s", stack->name, state_of(row, open),
		*row->applied ? row->applied : "-", checked);
	if (open->id)
		zp_buf_printf(out, " run %lld of %.12s: %lld to add, %lld to change, %lld to destroy%s%s",
			(long long)open->id, open->commit, (long long)open->adds, (long long)open->changes,
			(long long)open->destroys, *open->message ? ": " : "", open->message);
	else if (*row->problem)
		zp_buf_printf(out, " %s", row->problem);
	else if (row->drift)
		zp_buf_printf(out, " %lld changed outside", (long long)row->drift);
	zp_buf_char(out, '\n');
}

int sync_status_text(const struct sync_config *config, struct sync_store *store, struct zp_buf *out,
	struct zp_error *err)
{
	zp_buf_printf(out, "%-24s %-11s %-13s %-21s\n", "STACK", "STATE", "APPLIED", "CHECKED");
	return visit(config, store, stack_text, out, err);
}

static bool history_json(void *data, const struct sync_run *run)
{
	run_json(data, run);
	return true;
}

int sync_history_json(struct sync_store *store, const char *stack, int limit, struct zp_buf *out,
	struct zp_error *err)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	writer.exact_integers = true;
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "runs");
	zp_json_begin_array(&writer);
	int rc = sync_store_history(store, stack, limit, history_json, &writer, err);
	zp_json_end_array(&writer);
	zp_json_end_object(&writer);
	zp_buf_char(out, '\n');
	return rc;
}

static bool history_text(void *data, const struct sync_run *run)
{
	struct zp_buf *out = data;
	char created[32];

	time_text(run->created, created, sizeof(created));
	zp_buf_printf(out, "%-6lld %-21s %-24s %-12s %-13.12s %-11s +%lld ~%lld -%lld  %s%s%s%s\n",
		(long long)run->id, created, run->stack, run->state, run->commit, run->cause,
		(long long)run->adds, (long long)run->changes, (long long)run->destroys,
		*run->decided_by ? "by " : "", run->decided_by, *run->decided_by && *run->message ? "; " : "",
		run->message);
	return true;
}

int sync_history_text(struct sync_store *store, const char *stack, int limit, struct zp_buf *out,
	struct zp_error *err)
{
	zp_buf_printf(out, "%-6s %-21s %-24s %-12s %-13s %-11s %s\n", "RUN", "BEGUN", "STACK", "STATE",
		"COMMIT", "CAUSE", "CHANGES");
	return sync_store_history(store, stack, limit, history_text, out, err);
}
