/*
 * All kinds of backends by the same rules: what is stored comes back, conflicts and locks are
 * noticed, and many writers at once lose nothing. The servers are real: PostgreSQL in a temporary
 * folder where it is installed, and a small HTTP server that keeps Terraform's protocol.
 */
#include "tests/state/backend_fixture.h"

#include "state/lock_info.h"

#define WRITERS 200

static const char *const kinds[] = { "local", "http", "pg", "git", "git-daemon" };

static struct state_backend *must_open(
	struct backends *all, const char *kind, const char *name, const char *workspace)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_settings settings;

	backend_settings(all, kind, name, &settings);
	struct state_backend *backend = state_backend_open(&settings, workspace, &err);
	if (!backend)
		fail_msg("%s: %s", kind, zp_error_text(&err));
	state_settings_release(&settings);
	return backend;
}

static struct state *must_load(struct state_backend *backend)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = NULL;

	if (state_backend_load(backend, &state, &err) < 0)
		fail_msg("%s: %s", backend->type->name, zp_error_text(&err));
	return state;
}

static void must_store(struct state_backend *backend, struct state *state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_backend_store(backend, state, &err) < 0)
		fail_msg("%s: %s", backend->type->name, zp_error_text(&err));
}

static void must_lock(struct state_backend *backend)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_backend_lock(backend, "test", 0, &err) < 0)
		fail_msg("%s: %s", backend->type->name, zp_error_text(&err));
}

static void test_round_trip(void **data)
{
	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		struct backends *all = *data;
		if (!backend_is_there(all, kinds[i]))
			continue;
		struct state_backend *backend = must_open(all, kinds[i], "trip", "default");
		struct state *state = must_load(backend);
		assert_int_equal(state->serial, 0);
		must_lock(backend);
		add_object(state, "a", 1, "{\"id\":\"x\",\"text\":\"\\u00e9 '\\\\\"}");
		state->serial = 1;
		must_store(backend, state);
		state->serial = 2;
		must_store(backend, state);
		assert_int_equal(state_backend_unlock(backend, NULL), 0);
		struct state_backend *other = must_open(all, kinds[i], "trip", "default");
		struct state *again = must_load(other);
		assert_true(state_equal(state, again));
		assert_int_equal(again->serial, 2);
		assert_string_equal(again->lineage, state->lineage);
		state_free(again);
		state_free(state);
		state_backend_free(other);
		state_backend_free(backend);
	}
}

static void test_lock_excludes(void **data)
{
	struct backends *all = *data;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!backend_is_there(all, kinds[i]))
			continue;
		/* Before the first state, and after. */
		for (int stored = 0; stored < 2; stored++) {
			struct state_backend *a = must_open(all, kinds[i], "lock", "default");
			struct state_backend *b = must_open(all, kinds[i], "lock", "default");
			zp_autoerror err = ZP_ERROR_INIT;
			must_lock(a);
			assert_true(state_backend_lock(b, "other", 0, &err) < 0);
			assert_int_equal(err.code, STATE_LOCKED);
			assert_non_null(strstr(zp_error_text(&err), "Lock Info:\n  ID:        "));
			assert_null(strstr(zp_error_text(&err), "ID:        \n"));
			struct state *state = must_load(a);
			state->serial++;
			must_store(a, state);
			state_free(state);
			assert_int_equal(state_backend_unlock(a, &err), 0);
			must_lock(b);
			assert_int_equal(state_backend_unlock(b, &err), 0);
			state_backend_free(a);
			state_backend_free(b);
		}
	}
}

/* Without locks (-lock=false) the second of two writers is told, where the kind can know. */
static void test_conflict_is_noticed(void **data)
{
	struct backends *all = *data;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!backend_is_there(all, kinds[i]) || strcmp(kinds[i], "http") == 0)
			continue;
		struct state_backend *a = must_open(all, kinds[i], "conflict", "default");
		struct state_backend *b = must_open(all, kinds[i], "conflict", "default");
		zp_autoerror err = ZP_ERROR_INIT;
		struct state *x = must_load(a), *y = must_load(b);
		x->serial = y->serial = 1;
		must_store(a, x);
		assert_true(state_backend_store(b, y, &err) < 0);
		assert_int_equal(err.code, STATE_CONFLICT);
		if (!b->is_local)
			assert_non_null(strstr(zp_error_text(&err), "state push errored.tfstate"));
		unlink("errored.tfstate");
		state_free(y);
		y = must_load(b);
		y->serial++;
		must_store(b, y);
		state_free(x);
		state_free(y);
		state_backend_free(a);
		state_backend_free(b);
	}
}

static void test_workspaces(void **data)
{
	struct backends *all = *data;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!backend_is_there(all, kinds[i]) || strcmp(kinds[i], "http") == 0)
			continue;
		static const char *const names[] = { "prod", "dev" };
		zp_autoerror err = ZP_ERROR_INIT;
		char **found = NULL;
		for (size_t k = 0; k < 2; k++) {
			struct state_backend *made = must_open(all, kinds[i], "spaces", names[k]);
			assert_int_equal(state_backend_create_workspace(made, 0, &err), 0);
			struct state *state = must_load(made);
			add_object(state, names[k], -1, "{}");
			state->serial = 5;
			must_store(made, state);
			state_free(state);
			state_backend_free(made);
		}
		struct state_backend *backend = must_open(all, kinds[i], "spaces", "default");
		assert_int_equal(state_backend_workspaces(backend, &found, &err), 0);
		assert_string_equal(found[0], "default");
		assert_string_equal(found[1], "dev");
		assert_string_equal(found[2], "prod");
		assert_null(found[3]);
		state_workspaces_free(found);
		assert_true(state_backend_delete_workspace(backend, "default", &err) < 0);
		assert_int_equal(state_backend_delete_workspace(backend, "dev", &err), 0);
		assert_int_equal(state_backend_workspaces(backend, &found, &err), 0);
		assert_string_equal(found[1], "prod");
		assert_null(found[2]);
		state_workspaces_free(found);
		state_backend_free(backend);
		struct state_backend *prod = must_open(all, kinds[i], "spaces", "prod");
		struct state *state = must_load(prod);
		assert_non_null(state_find(state, "t.prod", NULL));
		state_free(state);
		state_backend_free(prod);
	}
}

struct writer {
	struct backends *all;
	const char *kind;
	char problem[300];
};

/* What a run does: lock, load, change, store, unlock. */
static void *write_once(void *data)
{
	struct writer *writer = data;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_settings settings;
	struct state *state = NULL;

	backend_settings(writer->all, writer->kind, "many", &settings);
	struct state_backend *backend = state_backend_open(&settings, "default", &err);
	bool ok = backend && state_backend_lock(backend, "test", 100000, &err) == 0;
	if (ok) {
		ok = state_backend_load(backend, &state, &err) == 0;
		if (ok) {
			state->serial++;
			ok = state_backend_store(backend, state, &err) == 0;
		}
		ok &= state_backend_unlock(backend, &err) == 0;
	}
	if (!ok)
		snprintf(writer->problem, sizeof(writer->problem), "%s", zp_error_text(&err));
	state_free(state);
	state_backend_free(backend);
	state_settings_release(&settings);
	return NULL;
}

static void test_no_update_is_lost(void **data)
{
	struct backends *all = *data;

	for (size_t i = 0; i < ZP_ARRAY_SIZE(kinds); i++) {
		if (!backend_is_there(all, kinds[i]))
			continue;
		static struct writer writers[WRITERS];
		pthread_t threads[WRITERS];
		/* Each step is a process of git's there. */
		size_t count = strcmp(kinds[i], "git-daemon") == 0 ? 8 : WRITERS;
		for (size_t k = 0; k < count; k++) {
			writers[k] = (struct writer){ .all = all, .kind = kinds[i] };
			assert_int_equal(
				pthread_create(&threads[k], NULL, write_once, &writers[k]), 0);
		}
		for (size_t k = 0; k < count; k++)
			pthread_join(threads[k], NULL);
		for (size_t k = 0; k < count; k++)
			if (*writers[k].problem)
				fail_msg("%s: %s", kinds[i], writers[k].problem);
		struct state_backend *backend = must_open(all, kinds[i], "many", "default");
		struct state *state = must_load(backend);
		assert_int_equal(state->serial, count);
		state_free(state);
		state_backend_free(backend);
	}
}

/* A server that is out of order for a while is asked again; one that stays so is given up, state
 * kept. */
static void test_http_faults(void **data)
{
	struct backends *all = *data;
	struct state_backend *backend = must_open(all, "http", "faults", "default");
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = must_load(backend);

	state->serial = 7;
	all->http.failures = 2;
	must_store(backend, state);
	assert_int_equal(all->http.failures, 0);
	all->http.failures = 100;
	assert_true(state_backend_store(backend, state, &err) < 0);
	assert_non_null(strstr(zp_error_text(&err), "internal server error"));
	assert_non_null(strstr(zp_error_text(&err), "zplan state push errored.tfstate"));
	struct stat st;
	assert_int_equal(stat("errored.tfstate", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct zp_buf text = file_text("errored.tfstate");
	struct state *kept = parsed(zp_buf_slice(&text));
	assert_int_equal(kept->serial, 7);
	state_free(kept);
	zp_buf_release(&text);
	unlink("errored.tfstate");
	all->http.failures = 0;
	/* A body that is not what its digest says. */
	all->http.corrupt = true;
	struct state *bad = NULL;
	assert_true(state_backend_load(backend, &bad, &err) < 0);
	assert_non_null(strstr(zp_error_text(&err), "Content-MD5"));
	all->http.corrupt = false;
	state_free(state);
	state_backend_free(backend);
}

static void test_http_authentication(void **data)
{
	struct backends *all = *data;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_settings settings;
	struct state *state = NULL;

	backend_settings(all, "http", "private", &settings);
	state_settings_set(&settings, "password", "wrong-secret", &err);
	struct state_backend *backend = state_backend_open(&settings, "default", &err);
	assert_true(state_backend_load(backend, &state, &err) < 0);
	assert_non_null(strstr(zp_error_text(&err), "requires auth"));
	assert_null(strstr(zp_error_text(&err), "wrong-secret"));
	state_backend_free(backend);
	state_settings_release(&settings);
}

static void test_broken_locks(void **data)
{
	struct backends *all = *data;
	static const char *const remote[] = { "http", "pg", "git", "git-daemon" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(remote); i++) {
		if (!backend_is_there(all, remote[i]))
			continue;
		struct state_backend *a = must_open(all, remote[i], "broken", "default");
		struct state_backend *b = must_open(all, remote[i], "broken", "default");
		zp_autoerror err = ZP_ERROR_INIT;
		must_lock(a);
		assert_true(state_backend_lock(b, "x", 0, &err) < 0);
		const char *id = strstr(zp_error_text(&err), "ID:        ") + strlen("ID:        ");
		zp_autofree char *copy = zp_strndup(id, strcspn(id, "\n"));
		assert_true(state_backend_break_lock(
				    b, "0c3f3c8c-0000-0000-0000-000000000000", &err) < 0);
		assert_int_equal(state_backend_break_lock(b, copy, &err), 0);
		assert_int_equal(state_backend_lock(b, "x", 5000, &err), 0);
		assert_int_equal(state_backend_unlock(b, &err), 0);
		state_backend_free(a);
		state_backend_free(b);
	}
}

/* A lock whose process has ended is said to be stale; one of a running process is not. */
static void test_stale_locks(void **data)
{
	struct backends *all = *data;

	{
		struct state_backend *backend = must_open(all, "git", "stale", "default");
		zp_autoerror err = ZP_ERROR_INIT;
		pid_t child = fork();
		if (!child)
			_exit(state_backend_lock(backend, "child", 0, &err) < 0);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_true(state_backend_lock(backend, "test", 0, &err) < 0);
		assert_non_null(strstr(zp_error_text(&err), "the lock is stale"));
		const char *id =
			strstr(zp_error_text(&err), "force-unlock ") + strlen("force-unlock ");
		zp_autofree char *copy = zp_strdup(id);
		assert_int_equal(state_backend_break_lock(backend, copy, &err), 0);
		must_lock(backend);
		struct state_backend *other = must_open(all, "git", "stale", "default");
		assert_true(state_backend_lock(other, "test", 0, &err) < 0);
		assert_null(strstr(zp_error_text(&err), "stale. Remove"));
		assert_int_equal(state_backend_unlock(backend, &err), 0);
		state_backend_free(other);
		state_backend_free(backend);
	}
}

struct open_case {
	const char *type, *name, *value, *expected;
};

static const struct open_case open_cases[] = {
	{ "http", NULL, NULL, "address argument is required" },
	{ "http", "address", "ftp://x", "address must be HTTP or HTTPS" },
	{ "git", NULL, NULL, "needs the setting \"url\"" },
	{ "local", "path", "", "\"path\" attribute value must not be empty" },
};

static void test_settings_that_make_no_sense(void **data)
{
	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(open_cases); i++) {
		const struct open_case *test = &open_cases[i];
		zp_autoerror err = ZP_ERROR_INIT;
		struct state_settings settings;
		state_settings_init(&settings, state_backend_type(test->type));
		if (test->name)
			assert_int_equal(
				state_settings_set(&settings, test->name, test->value, &err), 0);
		assert_null(state_backend_open(&settings, NULL, &err));
		assert_non_null(strstr(zp_error_text(&err), test->expected));
		state_settings_release(&settings);
	}
}

/* The numbers are those the peer wrote for the same blocks. */
static void test_hash_is_the_peers(void **data)
{
	(void)data;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_settings settings;

	state_settings_init(&settings, state_backend_type("local"));
	assert_int_equal(state_settings_hash(&settings), 666019178u);
	state_settings_set(&settings, "path", "x/a.tfstate", &err);
	assert_int_equal(state_settings_hash(&settings), 3626177042u);
	state_settings_release(&settings);
}

/* libgit2 1.5 forgets its match data when no setting of a repository matches: not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2-8.so\n";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_the_peers),
		cmocka_unit_test(test_settings_that_make_no_sense),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_lock_excludes),
		cmocka_unit_test(test_conflict_is_noticed),
		cmocka_unit_test(test_workspaces),
		cmocka_unit_test(test_broken_locks),
		cmocka_unit_test(test_stale_locks),
		cmocka_unit_test(test_http_faults),
		cmocka_unit_test(test_http_authentication),
		cmocka_unit_test(test_no_update_is_lost),
	};

	return cmocka_run_group_tests(tests, backends_setup, backends_teardown);
}
