#include "sync/turn.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/uuid.h"
#include "sync/log.h"
#include "sync/source.h"
#include "sync/workspace.h"

#define LOCKED_RETRY_MS 5000
#define MARKDOWN_LIMIT ((size_t)1 << 20)

struct work {
	const struct sync_turn *turn;
	const struct sync_stack *stack;
	struct sync_workspace workspace;
	struct sync_stack_row row;
	struct sync_commit commit;
	struct sync_question question;
	struct sync_run run; /* id 0: not in the history (yet) */
	struct sync_outcome outcome;
};

static uint32_t random_number(void)
{
	uint32_t number;

	zp_random(&number, sizeof(number));
	return number;
}

/* Errors of the store are told and nothing else: the next turn finds what is on disk. */
static void check(const struct work *work, int rc, struct zp_error *err)
{
	if (rc < 0)
		sync_log(ZP_LOG_ERROR, work->turn->config, work->stack->name, work->run.id, "%s",
			zp_error_text(err));
}

static void set_text(char **text, const struct sync_config *config, const char *fmt, ...)
	ZP_PRINTF(3, 4);

static void set_text(char **text, const struct sync_config *config, const char *fmt, ...)
{
	zp_autobuf out = ZP_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	zp_buf_vprintf(&out, fmt, ap);
	va_end(ap);
	sync_redact(config, &out);
	free(*text);
	*text = zp_buf_steal(&out);
}

static void put_row(struct work *work)
{
	zp_autoerror err = ZP_ERROR_INIT;

	zp_fault_point("sync");
	work->row.checked_at = sync_now();
	check(work, sync_store_put_stack(work->turn->store, work->stack->name, &work->row, &err), &err);
}

static void set_state(struct work *work, const char *state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	set_text(&work->run.state, NULL, "%s", state);
	check(work, sync_store_update(work->turn->store, &work->run, &err), &err);
	zp_fault_point("sync");
}

/* What the forge is to show beside the commit. */
static void post(const struct work *work, const char *state, const char *message)
{
	const struct sync_repository *repository = work->stack->repository;
	struct sync_post status = { .repository = (char *)repository->name,
		.commit = (char *)work->commit.id, .stack = (char *)work->stack->name,
		.state = (char *)state, .message = (char *)message };
	zp_autoerror err = ZP_ERROR_INIT;

	if (repository->status_token)
		check(work, sync_store_post(work->turn->store, &status, &err), &err);
}

static void begin_run(struct work *work, const char *cause, const char *state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	set_text(&work->run.stack, NULL, "%s", work->stack->name);
	set_text(&work->run.commit, NULL, "%s", work->commit.id);
	set_text(&work->run.cause, NULL, "%s", cause);
	set_text(&work->run.state, NULL, "%s", state);
	check(work, sync_store_begin(work->turn->store, &work->run, &err), &err);
	zp_fault_point("sync");
	sync_log(ZP_LOG_INFO, work->turn->config, work->stack->name, work->run.id, "%s of commit %.12s (%s): %s, by %s",
		state, work->commit.id, cause, work->commit.subject, work->commit.author);
}

static void finish_run(struct work *work, const char *state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	zp_fault_point("sync");
	set_text(&work->run.state, NULL, "%s", state);
	sync_log(strcmp(state, SYNC_FAILED) == 0 ? ZP_LOG_ERROR : ZP_LOG_INFO, work->turn->config,
		work->stack->name, work->run.id, "%s: %lld added, %lld changed, %lld destroyed%s%s", state,
		(long long)work->run.adds, (long long)work->run.changes, (long long)work->run.destroys,
		work->run.message && *work->run.message ? ": " : "",
		work->run.message ? work->run.message : "");
	check(work, sync_store_finish(work->turn->store, &work->run, work->turn->config->history, &err), &err);
}

static void ask_again(struct work *work, const char *cause)
{
	zp_autoerror err = ZP_ERROR_INIT;

	check(work, sync_store_ask(work->turn->store, work->stack->name, cause, work->question.forced, &err),
		&err);
}

/* The commit can not be brought about now. It is tried again later, and at once when a new one comes. */
static void fail(struct work *work, const char *message)
{
	if (!work->run.id)
		begin_run(work, "drift", SYNC_PLANNING);
	set_text(&work->run.message, work->turn->config, "%s", message);
	set_text(&work->row.problem, work->turn->config, "%s", message);
	set_text(&work->row.failed, NULL, "%s", work->commit.id);
	work->row.failures++;
	work->row.retry_at = sync_now() + sync_backoff(work->row.failures, random_number());
	if (work->outcome.next_at > work->row.retry_at)
		work->outcome.next_at = work->row.retry_at;
	put_row(work);
	finish_run(work, SYNC_FAILED);
	post(work, "failure", work->run.message);
}

static void succeed(struct work *work)
{
	set_text(&work->row.applied, NULL, "%s", work->commit.id);
	set_text(&work->row.failed, NULL, "%s", "");
	set_text(&work->row.rejected, NULL, "%s", "");
	set_text(&work->row.problem, NULL, "%s", "");
	set_text(&work->row.definition, NULL, "%s", work->stack->definition);
	work->row.failures = work->row.retry_at = work->row.drift = 0;
	put_row(work);
}

/*
 * A command of this stack that was killed may have left its lock. Nobody else works in this data folder, and
 * what a former controller left was ended: it is nobody's.
 */
static bool remove_own_lock(struct work *work, const char *problem)
{
	struct sync_stale_lock lock;
	zp_autoerror err = ZP_ERROR_INIT;

	if (!sync_find_stale_lock(problem, &lock) ||
		!sync_store_had_child(work->turn->store, work->stack->name, lock.pid))
		return false;
	bool removed = sync_workspace_unlock(&work->workspace, lock.id, &err) == 0;
	sync_log(ZP_LOG_WARN, work->turn->config, work->stack->name, work->run.id,
		"lock %s of a command that was killed: %s", lock.id, removed ? "removed" : "not removed");
	return removed;
}

/* Tried again soon, without a trace in the history; what was approved stays so. */
static void wait_for_lock(struct work *work, const char *problem)
{
	bool removed = remove_own_lock(work, problem);
	zp_autoerror err = ZP_ERROR_INIT;

	set_text(&work->row.problem, work->turn->config, "waits for a lock: %s", problem);
	put_row(work);
	if (work->run.id && work->run.decided_by && *work->run.decided_by)
		set_state(work, SYNC_APPROVED);
	else if (work->run.id)
		check(work, sync_store_forget(work->turn->store, &work->run, &err), &err);
	/* Not through the queue, which would have it tried at once. */
	work->outcome.next_at = sync_now() + (removed ? 0 : sync_jitter(LOCKED_RETRY_MS, random_number()));
}

/*
 * What all commands have in common when they do not end well: being stopped, a lock held elsewhere, and
 * errors. True when there was nothing of it.
 */
static bool went_well(struct work *work, int status, const struct sync_report *report,
	struct zp_error *err)
{
	/* What is not counted can not be compared with what may be done. */
	if (status == 0 || (status == 2 && report->summed))
		return true;
	if (status == SYNC_CHILD_STOPPED) {
		set_text(&work->run.message, NULL, "the controller was ended");
		if (work->run.id)
			finish_run(work, SYNC_INTERRUPTED);
		ask_again(work, "resume");
		return false;
	}
	if (status > 0 && report->locked) {
		wait_for_lock(work, report->problem ? report->problem : "");
		return false;
	}
	zp_autofree char *message = status < 0 ? zp_strdup(zp_error_text(err)) :
		status == 2 ? zp_strdup("the plan has changes, and does not tell how many") :
		report->problem ? zp_strdup(report->problem) : zp_format("exit status %d", status);
	fail(work, message);
	return false;
}

static void take_counts(struct work *work, const struct sync_report *report)
{
	work->run.adds = report->adds;
	work->run.changes = report->changes;
	work->run.destroys = report->destroys;
}

static void note_child(void *data, const char *identity)
{
	struct work *work = data;
	zp_autoerror err = ZP_ERROR_INIT;

	if (!work->run.id)
		return;
	set_text(&work->run.child, NULL, "%s", identity);
	zp_fault_point("sync");
	check(work, sync_store_update(work->turn->store, &work->run, &err), &err);
	zp_fault_point("sync");
}

static struct sync_place place_of(const struct work *work)
{
	return (struct sync_place){ .program = work->turn->program,
		.data_dir = work->turn->config->data_dir,
		.repository = work->stack->repository,
		.ref = work->stack->ref };
}

/* Files, init, plan. The status of the last of them. */
static int make_plan(struct work *work, struct sync_report *report, struct zp_error *err)
{
	struct sync_place place = place_of(work);
	const struct sync_stack *stack = work->stack;

	if (sync_source_checkout(&place, work->commit.id, work->workspace.tree, err) < 0 ||
		sync_workspace_write(&work->workspace, err) < 0)
		return -1;
	int status = sync_workspace_init(&work->workspace, stack->workspace, report, err);
	if (status != 0)
		return status == 2 ? 1 : status;
	sync_report_release(report);
	work->run.planned = sync_now();
	sync_log(ZP_LOG_DEBUG, work->turn->config, stack->name, work->run.id, "plan started");
	return sync_workspace_plan(&work->workspace, stack->var_files, stack->nodes,
		stack->lock_timeout_ms, false, report, err);
}

/* A commit that came while this one was planned takes its place. */
static bool is_superseded(struct work *work)
{
	struct sync_place place = place_of(work);
	struct sync_commit newer = { 0 };

	if (!sync_store_is_asked(work->turn->store, work->stack->name))
		return false;
	bool other = sync_source_fetch(&place, &newer, NULL) == 0 && strcmp(newer.id, work->commit.id) != 0;
	if (other) {
		set_text(&work->run.message, NULL, "commit %.12s came", newer.id);
		finish_run(work, SYNC_SUPERSEDED);
	}
	sync_commit_release(&newer);
	return other;
}

static void apply(struct work *work)
{
	struct sync_report report = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;

	set_state(work, SYNC_APPLYING);
	post(work, "running", "applying");
	int status = sync_workspace_apply(&work->workspace, work->stack->nodes, work->stack->lock_timeout_ms,
		&report, &err);
	if (status == 1 && report.stale) {
		/* Somebody else was faster: what is left to do is planned anew. */
		set_text(&work->run.message, NULL, "the state changed after it was planned");
		finish_run(work, SYNC_SUPERSEDED);
		ask_again(work, "state");
	} else if (went_well(work, status, &report, &err)) {
		if (report.summed)
			take_counts(work, &report);
		unlink(work->workspace.plan);
		unlink(work->workspace.plan_text);
		succeed(work);
		finish_run(work, SYNC_APPLIED);
		zp_autofree char *counts = zp_format("%lld added, %lld changed, %lld destroyed",
			(long long)work->run.adds, (long long)work->run.changes, (long long)work->run.destroys);
		post(work, "success", counts);
		work->outcome.changed = true;
	}
	sync_report_release(&report);
}

/* The plan is there: does it have to wait? */
static void pass_gate(struct work *work, const struct sync_report *report)
{
	zp_autobuf why = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (is_superseded(work))
		return;
	if (sync_may_apply(work->stack, report, &why) ||
		sync_store_was_approved(work->turn->store, work->stack->name, work->run.id, work->commit.id,
			report->destroys)) {
		apply(work);
		return;
	}
	if (sync_workspace_explain(&work->workspace, &err) < 0)
		sync_log(ZP_LOG_WARN, work->turn->config, work->stack->name, work->run.id, "%s", zp_error_text(&err));
	set_text(&work->run.message, NULL, "%s", why.ptr);
	put_row(work);
	set_state(work, SYNC_WAITING);
	sync_log(ZP_LOG_WARN, work->turn->config, work->stack->name, work->run.id,
		"waits for approval: %s", why.ptr);
	zp_autofree char *message = zp_format("waits for approval: %s", why.ptr);
	post(work, "pending", message);
}

static void run_new(struct work *work, const char *cause)
{
	struct sync_report report = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;

	unlink(work->workspace.plan_text);
	begin_run(work, cause, SYNC_PLANNING);
	post(work, "pending", "planning");
	int status = make_plan(work, &report, &err);
	if (went_well(work, status, &report, &err)) {
		take_counts(work, &report);
		if (status == 2) {
			pass_gate(work, &report);
		} else {
			succeed(work);
			finish_run(work, SYNC_UNCHANGED);
			post(work, "success", "nothing to change");
		}
	}
	sync_report_release(&report);
}

static void check_drift(struct work *work)
{
	struct sync_report report = { 0 };
	zp_autoerror err = ZP_ERROR_INIT;
	int64_t before = work->row.drift;

	int status = make_plan(work, &report, &err);
	if (went_well(work, status, &report, &err)) {
		int64_t drift = report.adds + report.changes + report.destroys + report.imports + report.outputs;
		work->row.drift = status == 2 ? drift : 0;
		set_text(&work->row.problem, NULL, "%s", "");
		put_row(work);
		if (status == 2 && (work->stack->drift == SYNC_HEAL || !before)) {
			begin_run(work, "drift", SYNC_PLANNING);
			work->run.planned = sync_now();
			take_counts(work, &report);
			if (work->stack->drift == SYNC_HEAL)
				pass_gate(work, &report);
			else
				finish_run(work, SYNC_DRIFTED);
		}
	}
	sync_report_release(&report);
}

/*
 * The world goes on while a plan waits. True when the same is to be done still, or when that can not be
 * told now; false when the plan is out of date.
 */
static bool holds_still(struct work *work)
{
	struct sync_workspace *workspace = &work->workspace;
	char *waiting = workspace->plan;
	struct sync_report report = { 0 };
	const struct sync_run *run = &work->run;

	workspace->plan = zp_path_join(workspace->folder, "plan.check");
	/* The run stays as it is: somebody may decide about it meanwhile. */
	workspace->started = NULL;
	int64_t planned = work->run.planned;
	int status = make_plan(work, &report, NULL);
	work->run.planned = planned;
	workspace->started = note_child;
	unlink(workspace->plan);
	free(workspace->plan);
	workspace->plan = waiting;
	bool same = report.adds == run->adds && report.changes == run->changes &&
		report.destroys == run->destroys;
	bool known = status == 0 || (status == 2 && report.summed);
	sync_report_release(&report);
	return !known || (status == 2 && same);
}

/* What an earlier turn left open. True when this turn is done with it. */
static bool take_up(struct work *work)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct sync_run *run = &work->run;

	int found = sync_store_open_run(work->turn->store, work->stack->name, run, &err);
	if (found <= 0)
		return false;
	bool same = strcmp(run->commit, work->commit.id) == 0;
	bool here = zp_file_exists(work->workspace.plan) && zp_is_directory(work->workspace.directory);
	if (same && here && strcmp(run->state, SYNC_APPROVED) == 0) {
		sync_log(ZP_LOG_INFO, work->turn->config, work->stack->name, run->id, "approved by %s",
			run->decided_by);
		apply(work);
		return true;
	}
	if (same && here && strcmp(run->state, SYNC_WAITING) == 0 && !work->question.forced &&
		holds_still(work)) {
		put_row(work);
		return true;
	}
	set_text(&run->message, NULL, same ? "planned again" : "commit %.12s came", work->commit.id);
	finish_run(work, SYNC_SUPERSEDED);
	sync_run_release(run);
	return false;
}

static bool find_commit(struct work *work)
{
	struct sync_place place = place_of(work);
	zp_autoerror err = ZP_ERROR_INIT;

	if (sync_source_fetch(&place, &work->commit, &err) == 0) {
		*work->turn->unreachable = 0;
		return true;
	}
	int64_t wait = sync_backoff(++*work->turn->unreachable, random_number());
	if (wait < work->stack->interval_ms)
		work->outcome.next_at = sync_now() + wait;
	sync_log(ZP_LOG_ERROR, work->turn->config, work->stack->name, 0, "%s", zp_error_text(&err));
	set_text(&work->row.problem, work->turn->config, "%s", zp_error_text(&err));
	put_row(work);
	return false;
}

/* The forge is to know; what comes now has another cause. */
static void tell_rejection(struct work *work)
{
	char now[sizeof(work->commit.id)];

	if (!work->question.cause || strcmp(work->question.cause, "rejection") != 0)
		return;
	memcpy(now, work->commit.id, sizeof(now));
	snprintf(work->commit.id, sizeof(work->commit.id), "%s", work->row.rejected);
	post(work, "failure", "rejected");
	memcpy(work->commit.id, now, sizeof(now));
	set_text(&work->question.cause, NULL, "poll");
}

static void take_turn(struct work *work)
{
	const struct sync_stack *stack = work->stack;

	tell_rejection(work);

	if (!find_commit(work) || take_up(work))
		return;
	switch (sync_need(stack, &work->row, work->commit.id, work->question.forced, sync_now())) {
	case SYNC_NEW:
		run_new(work, work->question.cause ? work->question.cause : "poll");
		break;
	case SYNC_CHECK:
		check_drift(work);
		break;
	case SYNC_NOTHING:
		if (work->row.retry_at > sync_now() && work->row.retry_at < work->outcome.next_at)
			work->outcome.next_at = work->row.retry_at;
		put_row(work);
		break;
	}
}

struct sync_outcome sync_turn(const struct sync_turn *turn)
{
	const struct sync_stack *stack = turn->stack;
	zp_autoerror err = ZP_ERROR_INIT;
	struct work work = {
		.turn = turn,
		.stack = stack,
		.workspace = { .config = turn->config, .stack = stack, .program = turn->program,
			.stop_fd = turn->stop_fd, .started = note_child, .data = &work },
		.outcome = { .next_at = sync_now() + sync_jitter(stack->interval_ms, random_number()) },
	};

	sync_workspace_open(&work.workspace, stack->name, stack->path);
	check(&work, sync_store_stack(turn->store, stack->name, &work.row, &err), &err);
	work.row.prune = stack->prune;
	check(&work, sync_store_take(turn->store, stack->name, &work.question, &err), &err);
	zp_fault_point("sync");
	if (zp_mkdirs(work.workspace.folder, 0700, &err) < 0)
		check(&work, -1, &err);
	else
		take_turn(&work);
	sync_workspace_release(&work.workspace);
	sync_stack_row_release(&work.row);
	sync_commit_release(&work.commit);
	sync_question_release(&work.question);
	sync_run_release(&work.run);
	return work.outcome;
}

char *sync_stack_folder(const struct sync_config *config, const char *name)
{
	return zp_format("%s/stacks/%s", config->data_dir, name);
}

char *sync_stack_plan(const struct sync_config *config, const char *name)
{
	zp_autofree char *folder = sync_stack_folder(config, name);
	zp_autofree char *path = zp_path_join(folder, "plan.md");
	zp_autobuf text = ZP_BUF_INIT;

	if (zp_file_read(path, MARKDOWN_LIMIT, &text, NULL) < 0)
		return NULL;
	sync_redact(config, &text);
	return zp_buf_steal(&text);
}
