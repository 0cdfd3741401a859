/*
 * What is decided about stacks: pure functions of what is known.
 */
#ifndef SYNC_RULES_H
#define SYNC_RULES_H

#include "sync/config.h"
#include "sync/store.h"

/* What a plan would do, as its stream of events told. */
struct sync_report {
	int64_t adds, changes, destroys, imports;
	bool summed; /* the line that counts was there */
	bool outputs; /* outputs change */
	bool stale, locked; /* why the command failed */
	char *problem; /* the first error, or the last words; heap, or NULL */
};

/* Reads what `plan -json` or `apply -json` said. */
int sync_report_read(const char *path, struct sync_report *report, struct zp_error *err);
void sync_report_release(struct sync_report *report);

/* A lock whose holder, as the command that met it says, does not run any more on this machine. */
struct sync_stale_lock {
	char id[65];
	long pid; /* of the process that took it */
};
/* False where it is somebody's, or whose it is can not be told. */
bool sync_find_stale_lock(const char *problem, struct sync_stale_lock *lock);

/* May this be done without asking? Otherwise why says why not. */
bool sync_may_apply(const struct sync_stack *stack, const struct sync_report *report, struct zp_buf *why);

enum sync_need { SYNC_NOTHING, SYNC_NEW, SYNC_CHECK };
/* What the commit that was fetched asks for: nothing, a run, or a look for drift. */
enum sync_need sync_need(const struct sync_stack *stack, const struct sync_stack_row *row,
	const char *commit, bool forced, int64_t now);

/* Milliseconds until the next attempt after that many failures in a row; random: any number. */
int64_t sync_backoff(int64_t failures, uint32_t random);
/* The same give or take a tenth, so that many do not come at once. */
int64_t sync_jitter(int64_t ms, uint32_t random);

#endif
