#include "node/registry.h"

#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"
#include "node/context.h"
#include "node/registry_log.h"

#define MAX_COPY ((size_t)1 << 30)

/* What is made durable together. Under the registry's lock. */
struct batch {
	int users; /* who waits for it */
	bool done;
	char *failure; /* why it is not durable; NULL: it is */
};

/*
 * Making a change durable takes a hundred times as long as making it, so those that come at the same time
 * share one transaction: who finds nobody behind itself commits for all.
 */
struct node_registry {
	sqlite3 *db;
	pthread_mutex_t lock;
	sqlite3 *reader; /* sees what is durable, and waits for no commit */
	pthread_mutex_t read_lock;
	pthread_cond_t committed;
	atomic_int writers;    /* in the transaction, or waiting to be */
	struct batch *current; /* NULL: no transaction is open */
	struct node_registry_log log; /* under lock */
	char *path;
	int copied; /* number of changes when the last copy was made; -1: none was */
};

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS workload ("
	"  id TEXT PRIMARY KEY, type TEXT NOT NULL, tenant TEXT NOT NULL, lineage TEXT NOT NULL,"
	"  address TEXT NOT NULL, spec TEXT NOT NULL, result TEXT) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS workload_type ON workload (type, id);"
	"CREATE TABLE IF NOT EXISTS lease ("
	"  pool TEXT NOT NULL, member TEXT NOT NULL, holder TEXT NOT NULL,"
	"  PRIMARY KEY (pool, member)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS lease_holder ON lease (holder, pool);";

static void commit_rest(struct node_registry *registry);

static int failed(struct node_registry *registry, const char *doing, struct zp_error *err)
{
	return zp_error_set(err, "registry: %s: %s", doing, sqlite3_errmsg(registry->db));
}

/* What the first column of a one-row answer says; heap, or NULL. */
static char *ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	char *text = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
		text = zp_strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return text;
}

static int open_file(struct node_registry *registry, bool *damaged, struct zp_error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
	int rc = sqlite3_open_v2(registry->path, &registry->db, flags, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(registry->db, 5000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(registry->db, schema, NULL, NULL, NULL);
	zp_autofree char *check =
		rc == SQLITE_OK ? ask(registry->db, "PRAGMA quick_check(1)") : NULL;
	*damaged = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ||
		(rc == SQLITE_OK && (!check || strcmp(check, "ok") != 0));
	if (rc == SQLITE_OK && !*damaged)
		return 0;
	zp_error_set(err, "registry %s: %s", registry->path,
		rc != SQLITE_OK ? sqlite3_errmsg(registry->db) :
		check		? check : "it is damaged");
	sqlite3_close(registry->db);
	registry->db = NULL;
	return -1;
}

/* The damaged file is kept for whoever wants to look at it; its log would spoil the copy. */
static int restore_copy(const struct node_registry *registry, struct zp_error *err)
{
	static const char *const logs[] = { "-wal", "-shm" };
	zp_autofree char *copy = zp_format("%s.copy", registry->path);
	zp_autofree char *aside = zp_format("%s.damaged", registry->path);
	zp_autobuf content = ZP_BUF_INIT;

	if (!zp_file_exists(copy))
		return zp_error_wrap(err, "the registry is damaged, and there is no copy of it. Bring it "
			"back from a backup, or move it away to begin with an empty one: what runs on "
			"the node then belongs to nobody");
	if (zp_file_read(copy, MAX_COPY, &content, err) < 0)
		return -1;
	if (rename(registry->path, aside) < 0)
		return zp_error_errno(err, "rename %s", registry->path);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(logs); i++) {
		zp_autofree char *log = zp_format("%s%s", registry->path, logs[i]);
		unlink(log);
	}
	zp_log(ZP_LOG_ERROR, "the registry was damaged (kept as %s): it is made again from its last copy and the "
		"log of what came later", aside);
	zp_error_clear(err);
	return zp_file_write_atomic(registry->path, zp_buf_slice(&content), 0600, err);
}

/* A statement with texts bound to ?1, ?2, ...; NULL binds NULL. Under the lock. */
static sqlite3_stmt *prepare(
	sqlite3 *db, const char *sql, const char *const *texts, int count)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return NULL;
	for (int i = 0; i < count; i++) {
		if (texts[i])
			sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_null(statement, i + 1);
	}
	return statement;
}

/* What is in the copy already is refused, or stays as it is. */
static void repeat(void *data, const char *sql, const char *const *texts, int count)
{
	struct node_registry *registry = data;
	sqlite3_stmt *statement = prepare(registry->db, sql, texts, count);

	sqlite3_step(statement);
	sqlite3_finalize(statement);
}

static void repeat_log(struct node_registry *registry)
{
	sqlite3_exec(registry->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	size_t count = node_registry_log_replay(registry->path, repeat, registry);
	if (sqlite3_exec(registry->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		zp_log(ZP_LOG_INFO, "registry: %zu statements of the log repeated", count);
}

struct node_registry *node_registry_open(const char *path, struct zp_error *err)
{
	struct node_registry *registry = zp_calloc(1, sizeof(*registry));
	zp_autoerror own = ZP_ERROR_INIT;
	bool damaged;

	pthread_mutex_init(&registry->lock, NULL);
	pthread_mutex_init(&registry->read_lock, NULL);
	pthread_cond_init(&registry->committed, NULL);
	registry->path = zp_strdup(path);
	registry->copied = -1;
	registry->log.fd = -1;
	int rc = open_file(registry, &damaged, &own);
	if (rc < 0 && damaged) {
		rc = restore_copy(registry, &own);
		if (!rc)
			rc = open_file(registry, &damaged, &own);
		if (!rc)
			repeat_log(registry);
	}
	if (!rc && sqlite3_open_v2(path, &registry->reader,
			   SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
		rc = zp_error_set(&own, "registry %s: %s", path, sqlite3_errmsg(registry->reader));
	if (!rc) {
		sqlite3_busy_timeout(registry->reader, 5000);
		node_registry_log_open(&registry->log, path);
		return registry;
	}
	zp_error_set(err, "%s", zp_error_text(&own));
	node_registry_close(registry);
	return NULL;
}

void node_registry_close(struct node_registry *registry)
{
	if (!registry)
		return;
	if (registry->db)
		commit_rest(registry);
	sqlite3_close(registry->reader);
	sqlite3_close(registry->db);
	pthread_mutex_destroy(&registry->read_lock);
	pthread_mutex_destroy(&registry->lock);
	pthread_cond_destroy(&registry->committed);
	node_registry_log_close(&registry->log);
	free(registry->path);
	free(registry);
}

static int copy_to(sqlite3 *from, const char *path)
{
	sqlite3 *to = NULL;
	int rc = sqlite3_open(path, &to);
	sqlite3_backup *backup =
		rc == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;

	if (backup) {
		sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
	} else if (rc == SQLITE_OK) {
		rc = SQLITE_ERROR;
	}
	sqlite3_close(to);
	return rc == SQLITE_OK ? 0 : -1;
}

void node_registry_copy(struct node_registry *registry)
{
	zp_autofree char *copy = zp_format("%s.copy", registry->path);
	zp_autofree char *fresh = zp_format("%s.copy.new", registry->path);

	pthread_mutex_lock(&registry->lock);
	commit_rest(registry);
	int changes = sqlite3_total_changes(registry->db);
	if (changes != registry->copied) {
		unlink(fresh);
		if (copy_to(registry->db, fresh) == 0 && chmod(fresh, 0600) == 0 &&
			rename(fresh, copy) == 0) {
			registry->copied = changes;
			node_registry_log_clear(&registry->log);
		} else {
			unlink(fresh);
		}
	}
	pthread_mutex_unlock(&registry->lock);
}

/* Under the lock. */
static int execute(struct node_registry *registry, const char *sql, const char *const *texts,
	int count, const char *doing, struct zp_error *err)
{
	sqlite3_stmt *statement = prepare(registry->db, sql, texts, count);
	int rc = statement ? sqlite3_step(statement) : SQLITE_ERROR;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		failed(registry, doing, err);
	else
		node_registry_log_note(&registry->log, sql, texts, count);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

/* Takes the lock; a transaction is open. */
static struct batch *begin_write(struct node_registry *registry)
{
	atomic_fetch_add(&registry->writers, 1);
	pthread_mutex_lock(&registry->lock);
	if (!registry->current) {
		registry->current = zp_calloc(1, sizeof(*registry->current));
		sqlite3_exec(registry->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	}
	return registry->current;
}

/* Under the lock. A full disk ends a transaction before its time: then it is not there to be committed. */
static void commit(struct node_registry *registry)
{
	struct batch *batch = registry->current;

	if (sqlite3_exec(registry->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
		batch->failure = zp_strdup(sqlite3_errmsg(registry->db));
		if (!sqlite3_get_autocommit(registry->db))
			sqlite3_exec(registry->db, "ROLLBACK", NULL, NULL, NULL);
		node_registry_log_drop(&registry->log);
	} else {
		node_registry_log_keep(&registry->log);
	}
	batch->done = true;
	registry->current = NULL;
	pthread_cond_broadcast(&registry->committed);
}

/* Waits until the batch is durable and gives the lock back. rc, or -1 with err. */
static int end_write(struct node_registry *registry, struct batch *batch, int rc,
	struct zp_error *err)
{
	batch->users++;
	if (atomic_fetch_sub(&registry->writers, 1) == 1)
		commit(registry);
	while (!batch->done)
		pthread_cond_wait(&registry->committed, &registry->lock);
	if (!rc && batch->failure)
		rc = zp_error_set(err, "registry: writing: %s", batch->failure);
	if (--batch->users == 0) {
		free(batch->failure);
		free(batch);
	}
	pthread_mutex_unlock(&registry->lock);
	return rc;
}

/*
 * Gives the lock back without waiting: what a workload leases while it is made becomes durable with its
 * result at the latest.
 */
static int end_lazily(struct node_registry *registry, struct batch *batch, int rc)
{
	if (atomic_fetch_sub(&registry->writers, 1) == 1 && batch->users)
		commit(registry);
	pthread_mutex_unlock(&registry->lock);
	return rc;
}

/* Under the lock: what nobody waits for. */
static void commit_rest(struct node_registry *registry)
{
	struct batch *batch = registry->current;

	if (!batch || batch->users)
		return;
	commit(registry);
	free(batch->failure);
	free(batch);
}

int node_registry_put(struct node_registry *registry, const struct node_workload *w,
	struct zp_error *err)
{
	zp_autofree char *spec = cJSON_PrintUnformatted(w->spec);
	const char *texts[] = { w->id, w->type, w->tenant, w->lineage, w->address, spec };

	struct batch *batch = begin_write(registry);
	int rc = execute(registry,
		"INSERT INTO workload (id, type, tenant, lineage, address, spec) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
		"type = ?2, tenant = ?3, lineage = ?4, address = ?5, spec = ?6",
		texts, 6, "writing a workload", err);
	return end_write(registry, batch, rc, err);
}

int node_registry_set_result(struct node_registry *registry, const char *id, const cJSON *result,
	struct zp_error *err)
{
	zp_autofree char *text = result ? cJSON_PrintUnformatted(result) : NULL;
	const char *texts[] = { id, text };

	struct batch *batch = begin_write(registry);
	int rc = execute(registry, "UPDATE workload SET result = ?2 WHERE id = ?1", texts, 2,
		"writing a result", err);
	return end_write(registry, batch, rc, err);
}

int node_registry_delete(struct node_registry *registry, const char *id, struct zp_error *err)
{
	const char *texts[] = { id };

	struct batch *batch = begin_write(registry);
	int rc = execute(registry, "DELETE FROM lease WHERE holder = ?1", texts, 1,
		"releasing leases", err);
	if (!rc)
		rc = execute(registry, "DELETE FROM workload WHERE id = ?1", texts, 1,
			"removing a workload", err);
	return end_write(registry, batch, rc, err);
}

static char *column(sqlite3_stmt *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement, i);

	return zp_strdup(text ? (const char *)text : "");
}

#define COLUMNS "id, type, tenant, lineage, address, spec, result"

static struct node_workload *read_row(sqlite3_stmt *statement)
{
	struct node_workload *w = zp_calloc(1, sizeof(*w));
	zp_autofree char *spec = column(statement, 5);
	zp_autofree char *result = column(statement, 6);

	w->id = column(statement, 0);
	w->type = column(statement, 1);
	w->tenant = column(statement, 2);
	w->lineage = column(statement, 3);
	w->address = column(statement, 4);
	w->spec = cJSON_Parse(spec);
	w->result = *result ? cJSON_Parse(result) : NULL;
	return w;
}

void node_workload_free(struct node_workload *w)
{
	if (!w)
		return;
	free((char *)w->id);
	free((char *)w->type);
	free((char *)w->tenant);
	free((char *)w->lineage);
	free((char *)w->address);
	cJSON_Delete((cJSON *)w->spec);
	cJSON_Delete((cJSON *)w->result);
	free(w);
}

struct node_workload *node_registry_get(struct node_registry *registry, const char *id)
{
	struct node_workload *found = NULL;
	const char *texts[] = { id };

	pthread_mutex_lock(&registry->read_lock);
	sqlite3_stmt *statement =
		prepare(registry->reader, "SELECT " COLUMNS " FROM workload WHERE id = ?1", texts, 1);
	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		found = read_row(statement);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->read_lock);
	return found;
}

static struct node_workload **select_all(struct node_registry *registry, const char *query,
	const char *const *texts, int text_count, size_t *count)
{
	ZP_VEC(, struct node_workload *) all = { 0 };

	pthread_mutex_lock(&registry->read_lock);
	sqlite3_stmt *statement = prepare(registry->reader, query, texts, text_count);
	while (statement && sqlite3_step(statement) == SQLITE_ROW)
		zp_vec_push(&all, read_row(statement));
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->read_lock);
	*count = all.count;
	return all.items;
}

struct node_workload **node_registry_all(struct node_registry *registry, const char *type,
	size_t *count)
{
	const char *texts[] = { type };

	return select_all(registry,
		"SELECT " COLUMNS " FROM workload WHERE ?1 IS NULL OR type = ?1 ORDER BY id", texts, 1,
		count);
}

struct node_workload **node_registry_of_object(struct node_registry *registry, const char *identity,
	size_t *count)
{
	/* What begins with "<identity>/" lies between these two, as '0' comes after '/'. */
	zp_autofree char *from = zp_format("%s/", identity), *to = zp_format("%s0", identity);
	const char *texts[] = { from, to };

	return select_all(registry,
		"SELECT " COLUMNS " FROM workload WHERE id >= ?1 AND id < ?2 ORDER BY id", texts, 2,
		count);
}

/* The holder's member of the pool, heap; NULL when it has none. Under the lock. */
static char *held(struct node_registry *registry, const char *pool, const char *holder)
{
	const char *texts[] = { pool, holder };
	char *member = NULL;
	sqlite3_stmt *statement = prepare(registry->db,
		"SELECT member FROM lease WHERE pool = ?1 AND holder = ?2", texts, 2);

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		member = column(statement, 0);
	sqlite3_finalize(statement);
	return member;
}

static int add_lease(struct node_registry *registry, const char *pool, const char *member,
	const char *holder, struct zp_error *err)
{
	const char *texts[] = { pool, member, holder };

	return execute(registry, "INSERT INTO lease (pool, member, holder) VALUES (?1, ?2, ?3)", texts,
		3, "writing a lease", err);
}

/* Lowest number of the pool that nobody has. Under the lock. */
static int64_t first_free(struct node_registry *registry, const char *pool, int64_t from)
{
	const char *texts[] = { pool };
	int64_t next = from;
	sqlite3_stmt *statement = prepare(registry->db,
		"SELECT CAST(member AS INTEGER) FROM lease WHERE pool = ?1 ORDER BY 1", texts, 1);

	while (statement && sqlite3_step(statement) == SQLITE_ROW) {
		int64_t taken = sqlite3_column_int64(statement, 0);
		if (taken > next)
			break;
		if (taken == next)
			next++;
	}
	sqlite3_finalize(statement);
	return next;
}

/* What the holder has, asked without a transaction. */
static bool has_number(
	struct node_registry *registry, const char *pool, const char *holder, int64_t *out)
{
	pthread_mutex_lock(&registry->lock);
	zp_autofree char *member = held(registry, pool, holder);
	pthread_mutex_unlock(&registry->lock);
	if (member)
		*out = strtoll(member, NULL, 10);
	return member != NULL;
}

int node_registry_lease_int(struct node_registry *registry, const char *pool, const char *holder,
	int64_t from, int64_t to, int64_t *out, struct zp_error *err)
{
	int rc = 0;

	if (has_number(registry, pool, holder, out))
		return 0;

	struct batch *batch = begin_write(registry);
	zp_autofree char *member = held(registry, pool, holder);
	if (member) {
		*out = strtoll(member, NULL, 10);
	} else {
		*out = first_free(registry, pool, from);
		zp_autofree char *text = zp_format("%" PRId64, *out);
		rc = *out > to ? zp_error_set(err, "no free number left in %s (%" PRId64 " to %" PRId64
					       ")", pool, from, to) :
				 add_lease(registry, pool, text, holder, err);
	}
	return end_lazily(registry, batch, rc);
}

/* Under the lock. */
static char *holder_of(struct node_registry *registry, const char *pool, const char *member)
{
	const char *texts[] = { pool, member };
	char *holder = NULL;
	sqlite3_stmt *statement = prepare(registry->db,
		"SELECT holder FROM lease WHERE pool = ?1 AND member = ?2", texts, 2);

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		holder = column(statement, 0);
	sqlite3_finalize(statement);
	return holder;
}

char *node_registry_lease_holder(
	struct node_registry *registry, const char *pool, const char *member)
{
	pthread_mutex_lock(&registry->lock);
	char *holder = holder_of(registry, pool, member);
	pthread_mutex_unlock(&registry->lock);
	return holder;
}

int node_registry_lease_take(struct node_registry *registry, const char *pool, const char *holder,
	const char *member, struct zp_error *err)
{
	int rc = 0;

	struct batch *batch = begin_write(registry);
	zp_autofree char *other = holder_of(registry, pool, member);
	if (!other)
		rc = add_lease(registry, pool, member, holder, err);
	else if (strcmp(other, holder) != 0)
		rc = zp_error_set(err, "%s %s is taken by %s", pool, member, other);
	return end_lazily(registry, batch, rc);
}

int node_registry_lease_release(struct node_registry *registry, const char *pool,
	const char *holder, struct zp_error *err)
{
	const char *texts[] = { holder, pool };

	struct batch *batch = begin_write(registry);
	int rc = execute(registry, "DELETE FROM lease WHERE holder = ?1 AND (?2 IS NULL OR pool = ?2)",
		texts, 2, "releasing leases", err);
	return end_write(registry, batch, rc, err);
}
