#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "state/backend.h"

static const char sample[] =
	"{\n"
	"  \"version\": 4,\n"
	"  \"terraform_version\": \"1.11.4\",\n"
	"  \"serial\": 3,\n"
	"  \"lineage\": \"0a-b\",\n"
	"  \"outputs\": {\n"
	"    \"o\": {\n"
	"      \"value\": [\n"
	"        1.50\n"
	"      ],\n"
	"      \"type\": [\n"
	"        \"tuple\",\n"
	"        [\n"
	"          \"number\"\n"
	"        ]\n"
	"      ],\n"
	"      \"sensitive\": true\n"
	"    }\n"
	"  },\n"
	"  \"resources\": [\n"
	"    {\n"
	"      \"module\": \"module.a[0]\",\n"
	"      \"mode\": \"managed\",\n"
	"      \"type\": \"t\",\n"
	"      \"name\": \"n\",\n"
	"      \"provider\": \"provider[\\\"p\\\"]\",\n"
	"      \"unknown_member\": 7,\n"
	"      \"instances\": [\n"
	"        {\n"
	"          \"index_key\": \"k\",\n"
	"          \"status\": \"tainted\",\n"
	"          \"schema_version\": 2,\n"
	"          \"attributes\": {\n"
	"            \"id\": \"1\"\n"
	"          },\n"
	"          \"sensitive_attributes\": [],\n"
	"          \"private\": \"AA==\",\n"
	"          \"dependencies\": [\n"
	"            \"t.m\"\n"
	"          ],\n"
	"          \"create_before_destroy\": true,\n"
	"          \"later\": {}\n"
	"        },\n"
	"        {\n"
	"          \"index_key\": \"k\",\n"
	"          \"deposed\": \"00000001\",\n"
	"          \"schema_version\": 0,\n"
	"          \"attributes\": {},\n"
	"          \"sensitive_attributes\": []\n"
	"        }\n"
	"      ]\n"
	"    }\n"
	"  ],\n"
	"  \"check_results\": null,\n"
	"  \"written_by\": \"later\"\n"
	"}\n";

static void test_round_trip(void **data)
{
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autobuf out = ZP_BUF_INIT;
	struct state *state = state_parse(zp_str(sample), "s", &err);

	(void)data;
	assert_non_null(state);
	state_write(state, &out);
	assert_string_equal(out.ptr, sample);
	const struct state_object *object = state_find(state, "module.a[0].t.n[\"k\"]", NULL);
	assert_non_null(object);
	assert_true(object->tainted && object->create_before_destroy);
	assert_non_null(state_find(state, "module.a[0].t.n[\"k\"]", "00000001"));
	struct state *copy = state_clone(state);
	assert_true(state_equal(state, copy));
	state_remove(copy, "module.a[0].t.n[\"k\"]", NULL);
	assert_false(state_equal(state, copy));
	assert_null(state_find(copy, "module.a[0].t.n[\"k\"]", NULL));
	assert_non_null(state_find(copy, "module.a[0].t.n[\"k\"]", "00000001"));
	state_free(copy);
	state_free(state);
}

/* Every prefix of a state is damaged, and says where; only white space is none at all. */
static void test_truncation(void **data)
{
	(void)data;
	for (size_t cut = 1; cut < sizeof(sample) - 2; cut++) {
		zp_autoerror err = ZP_ERROR_INIT;
		struct state *state = state_parse(zp_strn(sample, cut), "s", &err);
		assert_null(state);
		assert_non_null(strstr(zp_error_text(&err), "s is damaged"));
	}
}

static void test_refused(void **data)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "{\"version\": 5}", "A newer program wrote it" },
		{ "{\"version\": 3}", "too old" },
		{ "{}", "damaged" },
		{ "[]", "damaged" },
		{ "{\"version\": 4, \"resources\": 1}", "damaged" },
		{ "{\"version\": 4, \"resources\": [{\"mode\": \"x\"}]}", "needs mode, type and name" },
		{ "{\"version\": 4} x", "follows the end" },
		{ "{\"version\":4,\"resources\":[{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\","
		  "\"provider\":\"p\",\"instances\":[{},{}]}]}", "t.n stands there twice" },
	};

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		assert_null(state_parse(zp_str(rows[i].text), "s", &err));
		if (!strstr(zp_error_text(&err), rows[i].said))
			fail_msg("row %zu: %s", i, zp_error_text(&err));
	}
	struct state *empty = state_parse(ZP_STR(" \n"), "s", NULL);
	assert_true(state_is_empty(empty));
	state_free(empty);
}

struct fixture {
	char dir[64];
	char *path;
};

static int setup(void **data)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/zplan-state-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->path = zp_format("%s/terraform.tfstate", f->dir);
	*data = f;
	return 0;
}

static int teardown(void **data)
{
	struct fixture *f = *data;

	zp_remove_tree(f->dir, NULL);
	free(f->path);
	free(f);
	return 0;
}

/* 0 when another process gets the lock, 1 when it is told who has it. */
static int try_elsewhere(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		zp_autoerror err = ZP_ERROR_INIT;
		struct state_backend *other = state_local_open(path, NULL, NULL, NULL);
		int rc = state_backend_lock(other, "OperationTypePlan", 0, &err);
		bool told = rc < 0 && err.code == STATE_LOCKED &&
			strstr(err.message, "OperationTypeApply");
		_exit(rc == 0 ? 0 : told ? 1 : 2);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_local(void **data)
{
	struct fixture *f = *data;
	zp_autoerror err = ZP_ERROR_INIT;
	zp_autofree char *info = zp_format("%s/.terraform.tfstate.lock.info", f->dir);
	struct state_backend *backend = state_local_open(f->path, NULL, NULL, NULL);
	struct state *state = NULL;
	struct stat st;

	/* A lock info file of a process that is gone does not stand in the way. */
	assert_int_equal(zp_file_write_atomic(info, ZP_STR("{\"ID\":\"old\"}"), 0600, &err), 0);
	assert_int_equal(state_backend_lock(backend, "OperationTypeApply", 0, &err), 0);
	assert_int_equal(try_elsewhere(f->path), 1);
	assert_int_equal(state_backend_load(backend, &state, &err), 0);
	assert_true(state_is_empty(state));
	state->serial = 1;
	assert_int_equal(state_backend_store(backend, state, &err), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* The file was replaced, and is as locked as before. */
	assert_int_equal(try_elsewhere(f->path), 1);
	/* Somebody who ignores the lock is noticed. */
	assert_int_equal(zp_file_write_atomic(f->path, zp_str(sample), 0600, &err), 0);
	assert_int_equal(state_backend_store(backend, state, &err), -1);
	assert_int_equal(err.code, STATE_CONFLICT);
	assert_int_equal(state_backend_unlock(backend, &err), 0);
	assert_false(zp_file_exists(info));
	assert_int_equal(try_elsewhere(f->path), 0);
	state_free(state);
	state_backend_free(backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup_teardown(test_local, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
