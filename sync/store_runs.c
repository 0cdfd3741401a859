#include <stdlib.h>

#include "base/alloc.h"
#include "sync/store_internal.h"

#define COLUMNS                                                                                    \
	"id, stack, commit_id, cause, state, message, decided_by, child, created, planned, finished, " \
	"adds, changes, destroys"
#define OPEN "state IN ('planning', 'waiting', 'approved', 'applying')"

static bool take_id(void *data, sqlite3_stmt *row)
{
	*(int64_t *)data = sqlite3_column_int64(row, 0);
	return true; /* to the statement's end */
}

int sync_store_begin(struct sync_store *store, struct sync_run *run, struct zp_error *err)
{
	run->created = sync_now();
	const struct sync_value values[] = { SYNC_TEXT(run->stack), SYNC_TEXT(run->commit),
		SYNC_TEXT(run->cause), SYNC_TEXT(run->state), SYNC_NUMBER(run->created) };

	return sync_store_execute(store,
		"INSERT INTO run (stack, commit_id, cause, state, message, decided_by, child, created, "
		"planned, finished, adds, changes, destroys) "
		"VALUES (?1, ?2, ?3, ?4, '', '', '', ?5, 0, 0, 0, 0, 0) RETURNING id",
		values, 5, take_id, &run->id, err) < 0 ? -1 : 0;
}

int sync_store_update(struct sync_store *store, const struct sync_run *run, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(run->id), SYNC_TEXT(run->state),
		SYNC_TEXT(run->message), SYNC_TEXT(run->decided_by), SYNC_TEXT(run->child),
		SYNC_NUMBER(run->planned), SYNC_NUMBER(run->finished), SYNC_NUMBER(run->adds),
		SYNC_NUMBER(run->changes), SYNC_NUMBER(run->destroys) };

	return sync_store_execute(store,
		"UPDATE run SET state = ?2, message = ?3, decided_by = ?4, child = ?5, planned = ?6, "
		"finished = ?7, adds = ?8, changes = ?9, destroys = ?10 WHERE id = ?1",
		values, ZP_ARRAY_SIZE(values), NULL, NULL, err) < 0 ? -1 : 0;
}

static int count_run(struct sync_store *store, const char *stack, const char *state, int64_t ms,
	struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(stack), SYNC_TEXT(state), SYNC_NUMBER(ms) };

	return sync_store_execute(store,
		"INSERT INTO counter (stack, state, count, ms) VALUES (?1, ?2, 1, ?3) "
		"ON CONFLICT (stack, state) DO UPDATE SET count = count + 1, ms = ms + ?3",
		values, 3, NULL, NULL, err) < 0 ? -1 : 0;
}

int sync_store_finish(struct sync_store *store, struct sync_run *run, int keep, struct zp_error *err)
{
	run->finished = sync_now();
	const struct sync_value forget[] = { SYNC_TEXT(run->stack), SYNC_NUMBER(keep) };

	if (sync_store_update(store, run, err) < 0)
		return -1;
	if (count_run(store, run->stack, run->state, run->finished - run->created, err) < 0)
		return -1;
	return sync_store_execute(store,
		"DELETE FROM run WHERE stack = ?1 AND NOT " OPEN " AND id NOT IN "
		"(SELECT id FROM run WHERE stack = ?1 ORDER BY id DESC LIMIT ?2)",
		forget, 2, NULL, NULL, err) < 0 ? -1 : 0;
}

static struct sync_run run_of(sqlite3_stmt *row)
{
	return (struct sync_run){
		.id = sqlite3_column_int64(row, 0),
		.stack = sync_store_text(row, 1),
		.commit = sync_store_text(row, 2),
		.cause = sync_store_text(row, 3),
		.state = sync_store_text(row, 4),
		.message = sync_store_text(row, 5),
		.decided_by = sync_store_text(row, 6),
		.child = sync_store_text(row, 7),
		.created = sqlite3_column_int64(row, 8),
		.planned = sqlite3_column_int64(row, 9),
		.finished = sqlite3_column_int64(row, 10),
		.adds = sqlite3_column_int64(row, 11),
		.changes = sqlite3_column_int64(row, 12),
		.destroys = sqlite3_column_int64(row, 13),
	};
}

static bool take_run(void *data, sqlite3_stmt *row)
{
	*(struct sync_run *)data = run_of(row);
	return false;
}

int sync_store_open_run(struct sync_store *store, const char *stack, struct sync_run *run,
	struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(stack) };

	*run = (struct sync_run){ 0 };
	return (int)sync_store_execute(store,
		"SELECT " COLUMNS " FROM run WHERE stack = ?1 AND " OPEN " ORDER BY id DESC LIMIT 1",
		values, 1, take_run, run, err);
}

void sync_run_release(struct sync_run *run)
{
	free(run->stack);
	free(run->commit);
	free(run->cause);
	free(run->state);
	free(run->message);
	free(run->decided_by);
	free(run->child);
	*run = (struct sync_run){ 0 };
}

struct visit {
	bool (*each)(void *data, const struct sync_run *run);
	void *data;
};

static bool visit_run(void *data, sqlite3_stmt *row)
{
	const struct visit *visit = data;
	struct sync_run run = run_of(row);
	bool more = visit->each(visit->data, &run);

	sync_run_release(&run);
	return more;
}

int sync_store_history(struct sync_store *store, const char *stack, int limit,
	bool (*each)(void *data, const struct sync_run *run), void *data, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(limit), SYNC_TEXT(stack) };
	struct visit visit = { each, data };

	return sync_store_execute(store, stack ?
		"SELECT " COLUMNS " FROM run WHERE stack = ?2 ORDER BY id DESC LIMIT ?1" :
		"SELECT " COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
		values, stack ? 2 : 1, visit_run, &visit, err) < 0 ? -1 : 0;
}

int sync_store_decide(struct sync_store *store, const char *stack, int64_t id, bool approve,
	const char *who, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(stack), SYNC_NUMBER(id),
		SYNC_TEXT(approve ? SYNC_APPROVED : SYNC_REJECTED), SYNC_TEXT(who),
		SYNC_NUMBER(approve ? 0 : sync_now()) };

	int64_t rows = sync_store_execute(store,
		"UPDATE run SET state = ?3, decided_by = ?4, finished = ?5 "
		"WHERE stack = ?1 AND state = 'waiting' AND (?2 = 0 OR id = ?2)",
		values, 5, NULL, NULL, err);
	if (rows < 0)
		return -1;
	if (!rows && id)
		return zp_error_set(err, "run %lld of stack \"%s\" does not wait for approval",
			(long long)id, stack);
	if (!rows)
		return zp_error_set(err, "no run of stack \"%s\" waits for approval", stack);
	if (!approve) {
		/* The commit is not to come back by itself. */
		if (count_run(store, stack, SYNC_REJECTED, 0, err) < 0)
			return -1;
		if (sync_store_execute(store,
			    "UPDATE stack SET rejected = (SELECT commit_id FROM run WHERE stack = ?1 AND "
			    "state = 'rejected' ORDER BY id DESC LIMIT 1) WHERE name = ?1",
			    values, 1, NULL, NULL, err) < 0)
			return -1;
	}
	return sync_store_ask(store, stack, approve ? "approval" : "rejection", false, err);
}

int sync_store_forget(struct sync_store *store, struct sync_run *run, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(run->id) };

	run->id = 0;
	return sync_store_execute(store, "DELETE FROM run WHERE id = ?1", values, 1, NULL, NULL, err) < 0 ? -1 : 0;
}

bool sync_store_had_child(struct sync_store *store, const char *stack, long pid)
{
	zp_autofree char *pattern = zp_format("%ld:%%", pid);
	const struct sync_value values[] = { SYNC_TEXT(stack), SYNC_TEXT(pattern) };
	int64_t found = 0;

	sync_store_execute(store,
		"SELECT 1 FROM run WHERE stack = ?1 AND child LIKE ?2 AND state IN ('interrupted', 'failed') LIMIT 1",
		values, 2, take_id, &found, NULL);
	return found == 1;
}

bool sync_store_was_approved(struct sync_store *store, const char *stack, int64_t id, const char *commit,
	int64_t destroys)
{
	const struct sync_value values[] = { SYNC_TEXT(stack), SYNC_NUMBER(id), SYNC_TEXT(commit),
		SYNC_NUMBER(destroys) };
	int64_t found = 0;

	sync_store_execute(store,
		"SELECT 1 FROM run WHERE id = (SELECT max(id) FROM run WHERE stack = ?1 AND id < ?2) AND "
		"state = 'interrupted' AND decided_by <> '' AND commit_id = ?3 AND destroys >= ?4",
		values, 4, take_id, &found, NULL);
	return found == 1;
}

struct count_visit {
	void (*each)(void *data, const char *stack, const char *state, int64_t count, int64_t ms);
	void *data;
};

static bool visit_counter(void *data, sqlite3_stmt *row)
{
	const struct count_visit *visit = data;

	visit->each(visit->data, (const char *)sqlite3_column_text(row, 0),
		(const char *)sqlite3_column_text(row, 1), sqlite3_column_int64(row, 2),
		sqlite3_column_int64(row, 3));
	return true;
}

int sync_store_counters(struct sync_store *store,
	void (*each)(void *data, const char *stack, const char *state, int64_t count, int64_t ms),
	void *data, struct zp_error *err)
{
	struct count_visit visit = { each, data };

	return sync_store_execute(store, "SELECT stack, state, count, ms FROM counter", NULL, 0,
		visit_counter, &visit, err) < 0 ? -1 : 0;
}
