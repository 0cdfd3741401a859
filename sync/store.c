/* The file and its statements; stacks, the queue, posts. Runs are in store_runs.c. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "sync/store_internal.h"

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS stack ("
	"  name TEXT PRIMARY KEY, applied TEXT NOT NULL, failed TEXT NOT NULL, rejected TEXT NOT NULL,"
	"  definition TEXT NOT NULL, problem TEXT NOT NULL, failures INTEGER NOT NULL,"
	"  retry_at INTEGER NOT NULL, checked_at INTEGER NOT NULL, drift INTEGER NOT NULL,"
	"  prune INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS run ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, stack TEXT NOT NULL, commit_id TEXT NOT NULL,"
	"  cause TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, decided_by TEXT NOT NULL,"
	"  child TEXT NOT NULL, created INTEGER NOT NULL, planned INTEGER NOT NULL,"
	"  finished INTEGER NOT NULL, adds INTEGER NOT NULL, changes INTEGER NOT NULL,"
	"  destroys INTEGER NOT NULL);"
	"CREATE INDEX IF NOT EXISTS run_stack ON run (stack, id);"
	"CREATE TABLE IF NOT EXISTS queue ("
	"  stack TEXT PRIMARY KEY, cause TEXT NOT NULL, forced INTEGER NOT NULL,"
	"  asked INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS post ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT NOT NULL, commit_id TEXT NOT NULL,"
	"  stack TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL,"
	"  attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE IF NOT EXISTS counter ("
	"  stack TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, ms INTEGER NOT NULL,"
	"  PRIMARY KEY (stack, state)) WITHOUT ROWID;";

int64_t sync_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct sync_store *sync_store_open(const char *path, struct zp_error *err)
{
	struct sync_store *store = zp_calloc(1, sizeof(*store));
	mode_t before = umask(0077);

	pthread_mutex_init(&store->lock, NULL);
	int rc = sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(store->db, 10000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
	umask(before);
	if (rc == SQLITE_OK)
		return store;
	zp_error_set(err, "%s: %s", path, store->db ? sqlite3_errmsg(store->db) : "out of memory");
	sync_store_close(store);
	return NULL;
}

void sync_store_close(struct sync_store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

char *sync_store_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return zp_strdup(text ? text : "");
}

static int64_t step(struct sync_store *store, sqlite3_stmt *statement,
	bool (*each)(void *data, sqlite3_stmt *row), void *data)
{
	int64_t rows = 0;
	int rc;

	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		rows++;
		if (!each || !each(data, statement))
			return rows;
	}
	if (rc != SQLITE_DONE)
		return -1;
	return rows ? rows : each ? 0 : sqlite3_changes64(store->db);
}

int64_t sync_store_execute(struct sync_store *store, const char *sql,
	const struct sync_value *values, int count,
	bool (*each)(void *data, sqlite3_stmt *row), void *data, struct zp_error *err)
{
	sqlite3_stmt *statement = NULL;
	int64_t rows = -1;

	pthread_mutex_lock(&store->lock);
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK) {
		for (int i = 0; i < count; i++) {
			if (values[i].text)
				sqlite3_bind_text(statement, i + 1, values[i].text, -1, SQLITE_TRANSIENT);
			else
				sqlite3_bind_int64(statement, i + 1, values[i].number);
		}
		rows = step(store, statement, each, data);
	}
	if (rows < 0)
		zp_error_set(err, "history of runs: %s", sqlite3_errmsg(store->db));
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&store->lock);
	return rows;
}

static bool take_number(void *data, sqlite3_stmt *row)
{
	*(int64_t *)data = sqlite3_column_int64(row, 0);
	return false;
}

int64_t sync_store_version(struct sync_store *store)
{
	int64_t version = 0;

	sync_store_execute(store, "PRAGMA data_version", NULL, 0, take_number, &version, NULL);
	return version;
}

/* ---- stacks ---- */

static bool take_stack(void *data, sqlite3_stmt *row)
{
	*(struct sync_stack_row *)data = (struct sync_stack_row){
		.applied = sync_store_text(row, 0),
		.failed = sync_store_text(row, 1),
		.rejected = sync_store_text(row, 2),
		.definition = sync_store_text(row, 3),
		.problem = sync_store_text(row, 4),
		.failures = sqlite3_column_int64(row, 5),
		.retry_at = sqlite3_column_int64(row, 6),
		.checked_at = sqlite3_column_int64(row, 7),
		.drift = sqlite3_column_int64(row, 8),
		.prune = sqlite3_column_int(row, 9) != 0,
	};
	return false;
}

int sync_store_stack(struct sync_store *store, const char *name, struct sync_stack_row *row,
	struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(name) };

	*row = (struct sync_stack_row){ 0 };
	int64_t rows = sync_store_execute(store,
		"SELECT applied, failed, rejected, definition, problem, failures, retry_at, checked_at, "
		"drift, prune FROM stack WHERE name = ?1", values, 1, take_stack, row, err);
	if (rows <= 0)
		*row = (struct sync_stack_row){ .applied = zp_strdup(""), .failed = zp_strdup(""),
			.rejected = zp_strdup(""), .definition = zp_strdup(""), .problem = zp_strdup("") };
	return rows < 0 ? -1 : 0;
}

int sync_store_put_stack(struct sync_store *store, const char *name,
	const struct sync_stack_row *row, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(name), SYNC_TEXT(row->applied),
		SYNC_TEXT(row->failed), SYNC_TEXT(row->rejected), SYNC_TEXT(row->definition),
		SYNC_TEXT(row->problem), SYNC_NUMBER(row->failures), SYNC_NUMBER(row->retry_at),
		SYNC_NUMBER(row->checked_at), SYNC_NUMBER(row->drift), SYNC_NUMBER(row->prune) };

	return sync_store_execute(store,
		"INSERT OR REPLACE INTO stack (name, applied, failed, rejected, definition, problem, "
		"failures, retry_at, checked_at, drift, prune) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		values, ZP_ARRAY_SIZE(values), NULL, NULL, err) < 0 ? -1 : 0;
}

int sync_store_remove_stack(struct sync_store *store, const char *name, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(name) };

	if (sync_store_execute(store, "DELETE FROM queue WHERE stack = ?1", values, 1, NULL, NULL, err) < 0)
		return -1;
	return sync_store_execute(store, "DELETE FROM stack WHERE name = ?1", values, 1, NULL, NULL, err) < 0 ?
		-1 : 0;
}

void sync_stack_row_release(struct sync_stack_row *row)
{
	free(row->applied);
	free(row->failed);
	free(row->rejected);
	free(row->definition);
	free(row->problem);
	*row = (struct sync_stack_row){ 0 };
}

ZP_VEC(name_vec, char *);

static bool take_name(void *data, sqlite3_stmt *row)
{
	struct name_vec *names = data;

	zp_vec_push(names, sync_store_text(row, 0));
	return true;
}

char **sync_store_stacks(struct sync_store *store)
{
	struct name_vec names = { 0 };

	sync_store_execute(store, "SELECT name FROM stack ORDER BY name", NULL, 0, take_name, &names, NULL);
	zp_vec_push(&names, NULL);
	return names.items;
}

/* ---- the queue ---- */

int sync_store_ask(struct sync_store *store, const char *stack, const char *cause, bool forced,
	struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(stack), SYNC_TEXT(cause), SYNC_NUMBER(forced),
		SYNC_NUMBER(sync_now()) };

	return sync_store_execute(store,
		"INSERT INTO queue (stack, cause, forced, asked) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (stack) DO UPDATE SET forced = max(forced, ?3), cause = ?2",
		values, 4, NULL, NULL, err) < 0 ? -1 : 0;
}

static bool take_question(void *data, sqlite3_stmt *row)
{
	*(struct sync_question *)data = (struct sync_question){ .cause = sync_store_text(row, 0),
		.forced = sqlite3_column_int(row, 1) != 0 };
	return false;
}

int sync_store_take(struct sync_store *store, const char *stack, struct sync_question *question,
	struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(stack) };

	*question = (struct sync_question){ 0 };
	int64_t rows = sync_store_execute(store, "SELECT cause, forced FROM queue WHERE stack = ?1",
		values, 1, take_question, question, err);
	if (rows > 0 && sync_store_execute(store, "DELETE FROM queue WHERE stack = ?1", values, 1, NULL,
				NULL, err) < 0)
		rows = -1;
	return (int)rows;
}

struct queue_visit {
	void (*each)(void *data, const char *stack);
	void *data;
};

static bool visit_asked(void *data, sqlite3_stmt *row)
{
	const struct queue_visit *visit = data;

	visit->each(visit->data, (const char *)sqlite3_column_text(row, 0));
	return true;
}

int sync_store_queue(struct sync_store *store, void (*each)(void *data, const char *stack), void *data,
	struct zp_error *err)
{
	struct queue_visit visit = { each, data };

	return sync_store_execute(store, "SELECT stack FROM queue ORDER BY asked", NULL, 0, visit_asked, &visit,
		err) < 0 ? -1 : 0;
}

bool sync_store_is_asked(struct sync_store *store, const char *stack)
{
	const struct sync_value values[] = { SYNC_TEXT(stack) };
	int64_t one = 0;

	sync_store_execute(store, "SELECT 1 FROM queue WHERE stack = ?1", values, 1, take_number, &one, NULL);
	return one == 1;
}

int64_t sync_store_queue_length(struct sync_store *store)
{
	int64_t count = 0;

	sync_store_execute(store, "SELECT count(*) FROM queue", NULL, 0, take_number, &count, NULL);
	return count;
}

void sync_question_release(struct sync_question *question)
{
	free(question->cause);
	*question = (struct sync_question){ 0 };
}

/* ---- statuses to post ---- */

int sync_store_post(struct sync_store *store, const struct sync_post *post, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_TEXT(post->repository), SYNC_TEXT(post->commit),
		SYNC_TEXT(post->stack), SYNC_TEXT(post->state), SYNC_TEXT(post->message) };

	return sync_store_execute(store,
		"INSERT INTO post (repository, commit_id, stack, state, message) VALUES (?1, ?2, ?3, ?4, ?5)",
		values, 5, NULL, NULL, err) < 0 ? -1 : 0;
}

static bool take_post(void *data, sqlite3_stmt *row)
{
	*(struct sync_post *)data = (struct sync_post){
		.id = sqlite3_column_int64(row, 0),
		.repository = sync_store_text(row, 1),
		.commit = sync_store_text(row, 2),
		.stack = sync_store_text(row, 3),
		.state = sync_store_text(row, 4),
		.message = sync_store_text(row, 5),
		.attempts = sqlite3_column_int64(row, 6),
	};
	return false;
}

int sync_store_next_post(struct sync_store *store, struct sync_post *post, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(sync_now()) };

	*post = (struct sync_post){ 0 };
	/* Of one commit and stack in order: a later state waits for the earlier one. */
	return (int)sync_store_execute(store,
		"SELECT id, repository, commit_id, stack, state, message, attempts FROM post AS p "
		"WHERE due <= ?1 AND NOT EXISTS (SELECT 1 FROM post AS q WHERE q.id < p.id AND "
		"q.commit_id = p.commit_id AND q.stack = p.stack) ORDER BY id LIMIT 1",
		values, 1, take_post, post, err);
}

int sync_store_posted(struct sync_store *store, int64_t id, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(id) };

	return sync_store_execute(store, "DELETE FROM post WHERE id = ?1", values, 1, NULL, NULL, err) < 0 ?
		-1 : 0;
}

int sync_store_postpone(struct sync_store *store, int64_t id, int64_t until, struct zp_error *err)
{
	const struct sync_value values[] = { SYNC_NUMBER(id), SYNC_NUMBER(until) };

	return sync_store_execute(store, "UPDATE post SET attempts = attempts + 1, due = ?2 WHERE id = ?1",
		values, 2, NULL, NULL, err) < 0 ? -1 : 0;
}

void sync_post_release(struct sync_post *post)
{
	free(post->repository);
	free(post->commit);
	free(post->stack);
	free(post->state);
	free(post->message);
	*post = (struct sync_post){ 0 };
}
