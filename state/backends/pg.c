/*
 * A row of a table in PostgreSQL, in the layout of Terraform's pg backend, so that both can use one
 * database. The lock is an advisory one on the row's id: it vanishes with the connection. While a
 * row does not exist yet, the lock -1 stands for it, as with the peer.
 */
#include <libpq-fe.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "state/backend.h"

#define DEFAULT_SCHEMA "terraform_remote_state"
#define CREATION_LOCK "-1"
#define APPLICATION "zplan/" /* then the id of the lock: how others see who holds it */

struct pg {
	struct state_backend backend;
	struct state_settings settings;
	PGconn *connection; /* made when first needed */
	char *table;	    /* quoted, with schema */
	char *lock;	    /* number of the advisory lock held, or NULL */
	char *lock_id;	    /* of the lock info, while locked */
	char *version;	    /* of the row as loaded or last stored; NULL: there was none */
};

static struct pg *pg_of(struct state_backend *backend)
{
	return (struct pg *)backend;
}

typedef PGresult *result_ptr;

static void result_clear(result_ptr *result)
{
	PQclear(*result);
}

#define auto_result zp_cleanup(result_clear) result_ptr

static int failed(PGconn *connection, const char *doing, struct zp_error *err)
{
	const char *text = PQerrorMessage(connection);
	size_t length = strlen(text);

	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	return zp_error_set(err, "PostgreSQL, %s: %.*s", doing, (int)length, text);
}

/* Rows or NULL with err. Texts in, texts out. */
static PGresult *query(struct pg *pg, const char *doing, struct zp_error *err, const char *sql,
	int count, const char *const *values)
{
	PGresult *result = PQexecParams(pg->connection, sql, count, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	failed(pg->connection, doing, err);
	PQclear(result);
	return NULL;
}

static int run(struct pg *pg, const char *doing, struct zp_error *err, const char *sql)
{
	auto_result result = query(pg, doing, err, sql, 0, NULL);

	return result ? 0 : -1;
}

static bool is_true(const PGresult *result, int column)
{
	return PQgetvalue(result, 0, column)[0] == 't';
}

/* As the peer makes them. Under a lock: "if not exists" is no protection against two at once. */
static int make_tables(struct pg *pg, const char *schema, struct zp_error *err)
{
	zp_autofree char *sequence = NULL, *table = NULL, *index = NULL, *make_schema = NULL;
	static const char doing[] = "making the table of states";

	make_schema = zp_format("CREATE SCHEMA IF NOT EXISTS %s", schema);
	sequence = zp_strdup("CREATE SEQUENCE IF NOT EXISTS public.global_states_id_seq AS bigint");
	table = zp_format(
		"CREATE TABLE IF NOT EXISTS %s (id bigint NOT NULL DEFAULT "
		"nextval('public.global_states_id_seq') PRIMARY KEY, name text UNIQUE, data text)",
		pg->table);
	index = zp_format(
		"CREATE UNIQUE INDEX IF NOT EXISTS states_by_name ON %s (name)", pg->table);
	if (!state_setting_bool(&pg->settings, "skip_schema_creation") &&
		run(pg, doing, err, make_schema) < 0)
		return -1;
	if (!state_setting_bool(&pg->settings, "skip_table_creation") &&
		(run(pg, doing, err, sequence) < 0 || run(pg, doing, err, table) < 0))
		return -1;
	if (!state_setting_bool(&pg->settings, "skip_index_creation") &&
		run(pg, doing, err, index) < 0)
		return -1;
	return 0;
}

static int prepare(struct pg *pg, struct zp_error *err)
{
	const char *name = state_setting(&pg->settings, "schema_name");
	char *schema = PQescapeIdentifier(
		pg->connection, name ? name : DEFAULT_SCHEMA, strlen(name ? name : DEFAULT_SCHEMA));
	int rc = 0;

	if (!schema)
		return failed(pg->connection, "quoting the schema's name", err);
	free(pg->table);
	pg->table = zp_format("%s.states", schema);
	const char *values[] = { pg->table };
	auto_result there = query(pg, "looking for the table of states", err,
		"SELECT to_regclass($1) IS NOT NULL", 1, values);
	if (!there)
		rc = -1;
	else if (!is_true(there, 0)) {
		rc = run(pg, "locking", err, "BEGIN") < 0 ||
				     run(pg, "locking", err, "SELECT pg_advisory_xact_lock(-2)") <
					     0 ||
				     make_tables(pg, schema, err) < 0
			     ? -1
			     : 0;
		rc = run(pg, "making the table of states", rc < 0 ? NULL : err,
			     rc < 0 ? "ROLLBACK" : "COMMIT") < 0
			     ? -1
			     : rc;
	}
	PQfreemem(schema);
	return rc;
}

static void ignore_notice(void *data, const PGresult *result)
{
	(void)data;
	(void)result;
}

static int connect_once(struct pg *pg, struct zp_error *err)
{
	if (pg->connection && PQstatus(pg->connection) == CONNECTION_OK)
		return 0;
	PQfinish(pg->connection);
	const char *text = state_setting(&pg->settings, "conn_str");
	static const char *const keywords[] = { "dbname", "fallback_application_name",
		"connect_timeout", NULL };
	const char *const values[] = { text ? text : "", "zplan", "30", NULL };
	pg->connection = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(pg->connection) != CONNECTION_OK)
		return failed(pg->connection, "connecting", err);
	PQsetNoticeReceiver(pg->connection, ignore_notice, NULL);
	return prepare(pg, err);
}

static void set_text(char **field, const char *text)
{
	char *copy = text ? zp_strdup(text) : NULL;

	free(*field);
	*field = copy;
}

static int load_pg(struct state_backend *backend, struct zp_buf *text, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	const char *values[] = { backend->workspace };

	if (connect_once(pg, err) < 0)
		return -1;
	zp_autofree char *sql =
		zp_format("SELECT data, xmin::text FROM %s WHERE name = $1", pg->table);
	auto_result row = query(pg, "reading the state", err, sql, 1, values);
	if (!row)
		return -1;
	bool there = PQntuples(row) > 0;
	set_text(&pg->version, there ? PQgetvalue(row, 0, 1) : NULL);
	if (there)
		zp_buf_add(text, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0));
	return 0;
}

/* Which connection holds the advisory lock, as far as this user may see. */
static void find_holder(struct pg *pg, const char *lock, struct state_lock_info *holder)
{
	const char *values[] = { lock };
	auto_result row = query(pg, "looking for the lock's holder", NULL,
		"SELECT coalesce(a.application_name, ''), l.pid::text, coalesce(a.usename, '') || "
		"'@' || "
		"coalesce(host(a.client_addr), 'local'), coalesce(to_char(a.backend_start AT TIME "
		"ZONE "
		"'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') FROM pg_locks l LEFT JOIN "
		"pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
		"AND "
		"l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = $1::bigint",
		1, values);

	if (!row || !PQntuples(row))
		return;
	const char *name = PQgetvalue(row, 0, 0);
	bool ours = strncmp(name, APPLICATION, strlen(APPLICATION)) == 0;
	holder->id = zp_strdup(ours ? name + strlen(APPLICATION) : PQgetvalue(row, 0, 1));
	holder->who = zp_strdup(PQgetvalue(row, 0, 2));
	holder->created = zp_strdup(PQgetvalue(row, 0, 3));
	holder->info = zp_format("server process %s", PQgetvalue(row, 0, 1));
	holder->path = zp_strdup(pg->backend.workspace);
}

/* 1: got it, 0: somebody else has it. */
static int try_lock(struct pg *pg, const char *lock, struct zp_error *err)
{
	const char *values[] = { lock };
	auto_result row =
		query(pg, "locking", err, "SELECT pg_try_advisory_lock($1::bigint)", 1, values);

	return !row ? -1 : is_true(row, 0);
}

static int release(struct pg *pg, const char *lock, struct zp_error *err)
{
	const char *values[] = { lock };
	auto_result row =
		query(pg, "unlocking", err, "SELECT pg_advisory_unlock($1::bigint)", 1, values);

	return row ? 0 : -1;
}

/* Heap number of the row, NULL where there is none yet. */
static int row_id(struct pg *pg, char **id, struct zp_error *err)
{
	const char *values[] = { pg->backend.workspace };
	zp_autofree char *sql = zp_format("SELECT id::text FROM %s WHERE name = $1", pg->table);
	auto_result row = query(pg, "looking for the state", err, sql, 1, values);

	*id = NULL;
	if (!row)
		return -1;
	if (PQntuples(row))
		*id = zp_strdup(PQgetvalue(row, 0, 0));
	return 0;
}

/*
 * Both locks for a moment, as the peer does, so that nobody who is about to make the row is
 * overlooked; whoever holds the creation lock looks again whether there is a row by now.
 */
static int acquire(struct pg *pg, char **busy, struct zp_error *err)
{
	zp_autofree char *before = NULL, *now = NULL;

	if (row_id(pg, &before, err) < 0)
		return -1;
	int creation = try_lock(pg, CREATION_LOCK, err);
	if (creation <= 0) {
		*busy = creation < 0 ? NULL : zp_strdup(CREATION_LOCK);
		return creation;
	}
	if (row_id(pg, &now, err) < 0) {
		release(pg, CREATION_LOCK, NULL);
		return -1;
	}
	if (!now) {
		pg->lock = zp_strdup(CREATION_LOCK);
		return 1;
	}
	int got = try_lock(pg, now, err);
	if (release(pg, CREATION_LOCK, got < 0 ? NULL : err) < 0)
		return -1;
	if (got > 0) {
		pg->lock = now;
		now = NULL;
	} else if (got == 0) {
		*busy = now;
		now = NULL;
	}
	return got;
}

static void name_connection(struct pg *pg, const char *id)
{
	zp_autofree char *name = zp_format("%s%s", id ? APPLICATION : "zplan", id ? id : "");
	const char *values[] = { name };

	/* Only for people to see: it may fail. */
	PQclear(query(pg, "naming the connection", NULL,
		"SELECT set_config('application_name', $1, false)", 1, values));
}

static int lock_pg(struct state_backend *backend, const struct state_lock_info *info,
	struct state_lock_info *holder, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	zp_autofree char *busy = NULL;

	if (connect_once(pg, err) < 0)
		return -1;
	int got = acquire(pg, &busy, err);
	if (got < 0)
		return -1;
	if (!got) {
		find_holder(pg, busy, holder);
		return zp_error_code(
			err, STATE_LOCKED, "Workspace is already locked: %s", backend->workspace);
	}
	name_connection(pg, info->id);
	set_text(&pg->lock_id, info->id);
	return 0;
}

static int unlock_pg(struct state_backend *backend, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	int rc = pg->lock ? release(pg, pg->lock, err) : 0;

	if (pg->lock)
		name_connection(pg, NULL);
	set_text(&pg->lock, NULL);
	set_text(&pg->lock_id, NULL);
	return rc;
}

/* Ends the connection that holds it, where this user may. */
static int break_lock_pg(struct state_backend *backend, const char *id, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	const char *values[] = { id };

	if (connect_once(pg, err) < 0)
		return -1;
	auto_result row = query(pg, "ending the lock's connection", err,
		"SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.pid <> "
		"pg_backend_pid() AND a.datname = current_database() AND (a.application_name = "
		"'" APPLICATION
		"' || $1 OR a.pid::text = $1) AND EXISTS (SELECT 1 FROM pg_locks l WHERE "
		"l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)",
		1, values);
	if (!row)
		return -1;
	if (!PQntuples(row))
		return zp_error_set(err, "no lock with the id \"%s\" is held", id);
	return 0;
}

static int changed(const struct pg *pg, struct zp_error *err)
{
	return zp_error_code(err, STATE_CONFLICT,
		"%s was changed by another program since this run read it", pg->backend.location);
}

static int store_row(struct pg *pg, struct zp_str text, struct zp_error *err)
{
	const char *values[] = { pg->backend.workspace, text.ptr, pg->version };
	zp_autofree char *sql = pg->version ? zp_format("UPDATE %s SET data = $2 WHERE name = $1 "
							"AND xmin::text = $3 RETURNING "
							"xmin::text",
						      pg->table)
					    : zp_format("INSERT INTO %s (name, data) VALUES ($1, "
							"$2) ON CONFLICT (name) DO NOTHING "
							"RETURNING xmin::text",
						      pg->table);
	auto_result row = query(pg, "storing the state", err, sql, pg->version ? 3 : 2, values);

	if (!row)
		return -1;
	if (!PQntuples(row))
		return changed(pg, err);
	set_text(&pg->version, PQgetvalue(row, 0, 0));
	return 0;
}

/* With a connection the lock was lost too: taken again, and nobody wrote meanwhile, or it is a
 * conflict. */
static int reconnect(struct pg *pg, struct zp_error *err)
{
	zp_autofree char *busy = NULL;
	bool locked = pg->lock != NULL;

	set_text(&pg->lock, NULL);
	if (connect_once(pg, err) < 0)
		return -1;
	if (!locked)
		return 0;
	int got = acquire(pg, &busy, err);
	if (got == 0)
		return zp_error_set(err,
			"the connection to PostgreSQL was lost, and with it the lock, "
			"which somebody else holds now");
	if (got > 0)
		name_connection(pg, pg->lock_id);
	return got < 0 ? -1 : 0;
}

static int store_pg(struct state_backend *backend, struct zp_str text, const struct state *state,
	struct zp_error *err)
{
	struct pg *pg = pg_of(backend);

	(void)state;
	if (connect_once(pg, err) < 0)
		return -1;
	if (store_row(pg, text, err) == 0)
		return 0;
	if (PQstatus(pg->connection) == CONNECTION_OK)
		return -1;
	if (err)
		zp_error_clear(err);
	return reconnect(pg, err) < 0 ? -1 : store_row(pg, text, err);
}

static int workspaces_pg(struct state_backend *backend, char ***names, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	ZP_VEC(, char *) found = { 0 };

	if (connect_once(pg, err) < 0)
		return -1;
	zp_autofree char *sql =
		zp_format("SELECT name FROM %s WHERE name <> 'default' ORDER BY name COLLATE \"C\"",
			pg->table);
	auto_result rows = query(pg, "listing workspaces", err, sql, 0, NULL);
	if (!rows)
		return -1;
	for (int i = 0; i < PQntuples(rows); i++)
		zp_vec_push(&found, zp_strdup(PQgetvalue(rows, i, 0)));
	zp_vec_push(&found, NULL);
	*names = found.items;
	return 0;
}

static int delete_workspace_pg(
	struct state_backend *backend, const char *name, struct zp_error *err)
{
	struct pg *pg = pg_of(backend);
	const char *values[] = { name };

	if (connect_once(pg, err) < 0)
		return -1;
	zp_autofree char *sql = zp_format("DELETE FROM %s WHERE name = $1", pg->table);
	auto_result result = query(pg, "deleting the workspace", err, sql, 1, values);
	return result ? 0 : -1;
}

static void free_pg(struct state_backend *backend)
{
	struct pg *pg = pg_of(backend);

	PQfinish(pg->connection);
	state_settings_release(&pg->settings);
	free(pg->table);
	free(pg->lock);
	free(pg->lock_id);
	free(pg->version);
	free(pg);
}

static const struct state_setting settings_pg[] = {
	{ .name = "conn_str", .env = "PG_CONN_STR" },
	{ .name = "schema_name", .env = "PG_SCHEMA_NAME" },
	{ .name = "skip_index_creation",
		.kind = STATE_BOOL_SETTING,
		.env = "PG_SKIP_INDEX_CREATION" },
	{ .name = "skip_schema_creation",
		.kind = STATE_BOOL_SETTING,
		.env = "PG_SKIP_SCHEMA_CREATION" },
	{ .name = "skip_table_creation",
		.kind = STATE_BOOL_SETTING,
		.env = "PG_SKIP_TABLE_CREATION" },
};

static struct state_backend *open_pg(
	const struct state_settings *settings, const char *workspace, struct zp_error *err)
{
	const char *schema = state_setting(settings, "schema_name");
	struct pg *pg = zp_calloc(1, sizeof(*pg));

	(void)err;
	pg->backend.type = &state_pg_type;
	state_settings_copy(&pg->settings, settings);
	pg->backend.location = zp_format("workspace \"%s\" in PostgreSQL's schema %s", workspace,
		schema ? schema : DEFAULT_SCHEMA);
	return &pg->backend;
}

const struct state_backend_type state_pg_type = {
	.name = "pg",
	.settings = settings_pg,
	.setting_count = ZP_ARRAY_SIZE(settings_pg),
	.open = open_pg,
	.lock = lock_pg,
	.unlock = unlock_pg,
	.break_lock = break_lock_pg,
	.load = load_pg,
	.store = store_pg,
	.workspaces = workspaces_pg,
	.delete_workspace = delete_workspace_pg,
	.free = free_pg,
};
