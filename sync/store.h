/*
 * What the controller remembers: stacks, runs, the queue, and statuses still to be posted, in one SQLite
 * file. Whatever was told to have happened is on disk when a function returns.
 *
 *	struct sync_store *store = sync_store_open("/var/lib/zplan-sync/sync.db", err);
 *	sync_store_ask(store, "net", "webhook", false, err);
 *	sync_store_close(store);
 *
 * Safe for concurrent use, by threads and by processes: `zplan sync approve` writes what the controller
 * then reads. Times are milliseconds since 1970.
 */
#ifndef SYNC_STORE_H
#define SYNC_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct sync_store;

/* Texts are heap strings, "" where there is nothing. */
struct sync_stack_row {
	char *applied;	/* commit that was last found or made true */
	char *failed;	/* commit that can not be applied */
	char *rejected; /* commit somebody refused */
	char *definition; /* with which `applied` was */
	char *problem;	/* why nothing goes on; for people */
	int64_t failures, retry_at, checked_at, drift;
	bool prune;
};

struct sync_run {
	int64_t id;
	char *stack, *commit, *cause, *state, *message, *decided_by, *child;
	int64_t created, planned, finished;
	int64_t adds, changes, destroys;
};

struct sync_question {
	char *cause;
	bool forced; /* by a person: whatever was tried before */
};

struct sync_post {
	int64_t id, attempts;
	char *repository, *commit, *stack, *state, *message;
};

/* States of runs; those before "applied" are open. */
#define SYNC_PLANNING "planning"
#define SYNC_WAITING "waiting"	 /* for approval */
#define SYNC_APPROVED "approved" /* not begun yet */
#define SYNC_APPLYING "applying"
#define SYNC_APPLIED "applied"
#define SYNC_UNCHANGED "unchanged" /* there was nothing to do */
#define SYNC_DRIFTED "drifted"	   /* reported, not healed */
#define SYNC_FAILED "failed"
#define SYNC_REJECTED "rejected"
#define SYNC_SUPERSEDED "superseded"
#define SYNC_INTERRUPTED "interrupted"

int64_t sync_now(void);

struct sync_store *sync_store_open(const char *path, struct zp_error *err);
void sync_store_close(struct sync_store *store);
/* Changes whenever another process wrote. */
int64_t sync_store_version(struct sync_store *store);

/* Stacks. Reading one that is not there gives an empty row. */
int sync_store_stack(struct sync_store *store, const char *name, struct sync_stack_row *row,
	struct zp_error *err);
int sync_store_put_stack(struct sync_store *store, const char *name,
	const struct sync_stack_row *row, struct zp_error *err);
int sync_store_remove_stack(struct sync_store *store, const char *name, struct zp_error *err);
void sync_stack_row_release(struct sync_stack_row *row);
/* Names of all, NULL-terminated; heap, each name too. */
char **sync_store_stacks(struct sync_store *store);

/* Runs. begin sets id and created; update writes all else. */
int sync_store_begin(struct sync_store *store, struct sync_run *run, struct zp_error *err);
int sync_store_update(struct sync_store *store, const struct sync_run *run, struct zp_error *err);
/* The same at a run's end: sets finished, counts, forgets all but `keep` of the stack's runs. */
int sync_store_finish(struct sync_store *store, struct sync_run *run, int keep, struct zp_error *err);
/* The stack's open run: 1 found, 0 none. */
int sync_store_open_run(struct sync_store *store, const char *stack, struct sync_run *run,
	struct zp_error *err);
void sync_run_release(struct sync_run *run);
/* Newest first; stack NULL: of all. Stops when each gives false; each must not use the store. */
int sync_store_history(struct sync_store *store, const char *stack, int limit,
	bool (*each)(void *data, const struct sync_run *run), void *data, struct zp_error *err);
/*
 * approve or reject: moves the stack's waiting run to that state and asks for the stack. Fails when none
 * waits, or when it is another than id (0: any).
 */
int sync_store_decide(struct sync_store *store, const char *stack, int64_t id, bool approve,
	const char *who, struct zp_error *err);

/* The run never was: nothing of it happened. */
int sync_store_forget(struct sync_store *store, struct sync_run *run, struct zp_error *err);
/* Whether a run of the stack that did not end well had this process. */
bool sync_store_had_child(struct sync_store *store, const char *stack, long pid);
/*
 * Whether the run before `id` was cut off, of the same commit, and approved when it had at least this much
 * to destroy: what is left of it needs no second approval.
 */
bool sync_store_was_approved(struct sync_store *store, const char *stack, int64_t id, const char *commit,
	int64_t destroys);

/* The queue has each stack once. */
int sync_store_ask(struct sync_store *store, const char *stack, const char *cause, bool forced,
	struct zp_error *err);
/* Takes it out: 1 there was one, 0 none. */
int sync_store_take(struct sync_store *store, const char *stack, struct sync_question *question,
	struct zp_error *err);
/* Tells every stack that is asked; each must not use the store. */
int sync_store_queue(struct sync_store *store, void (*each)(void *data, const char *stack), void *data,
	struct zp_error *err);
bool sync_store_is_asked(struct sync_store *store, const char *stack);
int64_t sync_store_queue_length(struct sync_store *store);
void sync_question_release(struct sync_question *question);

/* Statuses to be posted to forges. */
int sync_store_post(struct sync_store *store, const struct sync_post *post, struct zp_error *err);
/* The oldest that is due: 1 found, 0 none. */
int sync_store_next_post(struct sync_store *store, struct sync_post *post, struct zp_error *err);
/* It was posted, or is given up. */
int sync_store_posted(struct sync_store *store, int64_t id, struct zp_error *err);
int sync_store_postpone(struct sync_store *store, int64_t id, int64_t until, struct zp_error *err);
void sync_post_release(struct sync_post *post);

/* Finished runs by stack and state: how many, and how many milliseconds they took together. */
int sync_store_counters(struct sync_store *store,
	void (*each)(void *data, const char *stack, const char *state, int64_t count, int64_t ms),
	void *data, struct zp_error *err);

#endif
