/* What is decided about stacks: pure functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "sync/fetch_internal.h"
#include "sync/rules.h"

static void approval_rules(void **state)
{
	static const struct {
		enum sync_approve approve;
		int64_t most_destroy, most_change, most_add, adds, changes, destroys;
		bool may;
	} rows[] = {
		{ SYNC_AUTO, -1, -1, -1, 5, 5, 5, true },
		{ SYNC_AUTO, 3, -1, -1, 0, 0, 3, true },
		{ SYNC_AUTO, 3, -1, -1, 0, 0, 4, false },
		{ SYNC_AUTO, -1, 0, -1, 0, 1, 0, false },
		{ SYNC_AUTO, -1, -1, 2, 3, 0, 0, false },
		{ SYNC_NO_DESTROY, -1, -1, -1, 9, 9, 0, true },
		{ SYNC_NO_DESTROY, 5, -1, -1, 0, 0, 1, false },
		{ SYNC_MANUAL, -1, -1, -1, 1, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct sync_stack stack = { .approve = rows[i].approve,
			.limits = { rows[i].most_destroy, rows[i].most_change, rows[i].most_add } };
		struct sync_report report = { .adds = rows[i].adds, .changes = rows[i].changes,
			.destroys = rows[i].destroys };
		zp_autobuf why = ZP_BUF_INIT;
		assert_int_equal(sync_may_apply(&stack, &report, &why), rows[i].may);
		assert_int_equal(why.len == 0, rows[i].may);
	}
}

static void what_a_commit_asks_for(void **state)
{
	static const struct {
		const char *applied, *failed, *rejected, *definition, *commit;
		int64_t retry_at, now;
		bool forced;
		enum sync_drift drift;
		enum sync_need need;
	} rows[] = {
		{ "", "", "", "", "a", 0, 1, false, SYNC_HEAL, SYNC_NEW },
		{ "a", "", "", "d", "a", 0, 1, false, SYNC_HEAL, SYNC_CHECK },
		{ "a", "", "", "d", "a", 0, 1, false, SYNC_REPORT, SYNC_CHECK },
		{ "a", "", "", "d", "a", 0, 1, false, SYNC_IGNORE, SYNC_NOTHING },
		{ "a", "", "", "d", "a", 0, 1, true, SYNC_IGNORE, SYNC_NEW },
		{ "a", "", "", "old", "a", 0, 1, false, SYNC_IGNORE, SYNC_NEW },
		{ "a", "", "", "d", "b", 0, 1, false, SYNC_IGNORE, SYNC_NEW },
		{ "a", "b", "", "d", "b", 10, 9, false, SYNC_HEAL, SYNC_NOTHING },
		{ "a", "b", "", "d", "b", 10, 10, false, SYNC_HEAL, SYNC_NEW },
		{ "a", "b", "", "d", "b", 10, 9, true, SYNC_HEAL, SYNC_NEW },
		{ "a", "b", "", "d", "c", 10, 9, false, SYNC_HEAL, SYNC_NEW },
		{ "a", "b", "", "d", "a", 10, 9, false, SYNC_IGNORE, SYNC_NEW }, /* taken back */
		{ "a", "", "b", "d", "b", 0, 9, false, SYNC_HEAL, SYNC_NOTHING },
		{ "a", "", "b", "d", "c", 0, 9, false, SYNC_HEAL, SYNC_NEW },
	};

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct sync_stack stack = { .drift = rows[i].drift, .definition = "d" };
		struct sync_stack_row row = { .applied = (char *)rows[i].applied,
			.failed = (char *)rows[i].failed, .rejected = (char *)rows[i].rejected,
			.definition = (char *)rows[i].definition, .retry_at = rows[i].retry_at };
		assert_int_equal(
			sync_need(&stack, &row, rows[i].commit, rows[i].forced, rows[i].now), rows[i].need);
	}
}

static void backing_off(void **state)
{
	int64_t before = 0;

	(void)state;
	for (int64_t failures = 1; failures < 100; failures++) {
		int64_t least = sync_backoff(failures, 0), most = sync_backoff(failures, 999);
		assert_true(least >= before);
		assert_true(least < most && most <= 3600000 * 5 / 4);
		before = least;
	}
	assert_int_equal(sync_backoff(1, 500), 10000);
	assert_int_equal(sync_backoff(2, 500), 20000);
	assert_int_equal(sync_backoff(INT64_MAX, 500), 3600000);
	assert_true(sync_jitter(1000, 0) == 900 && sync_jitter(1000, 999) < 1100);
}

static void versions_in_order(void **state)
{
	static const char *const rows[] = { "v0.9", "v1-rc1", "v1", "v1.2-beta2", "v1.2-beta10", "v1.2", "v1.9",
		"v1.10", "v2", "v00010", "v99999999999999999999999999", "v100000000000000000000000000" };

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ZP_ARRAY_SIZE(rows); k++) {
			int order = sync_compare_versions(rows[i], rows[k]);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

static void refs_are_chosen(void **state)
{
	static char names[][24] = { "HEAD", "refs/heads/dev", "refs/heads/main", "refs/heads/v1", "refs/tags/v1",
		"refs/tags/v1.10.0", "refs/tags/v1.10.0^{}", "refs/tags/v1.9.0", "refs/tags/w2" };
	static const struct {
		const char *ref, *name;
	} rows[] = {
		{ NULL, "refs/heads/main" }, { "dev", "refs/heads/dev" }, { "v1", "refs/heads/v1" },
		{ "refs/tags/v1", "refs/tags/v1" }, { "w2", "refs/tags/w2" }, { "v*", "refs/tags/v1.10.0" },
		{ "refs/tags/v1.9*", "refs/tags/v1.9.0" }, { "x*", NULL }, { "nothing", NULL },
		{ "refs/heads/nothing", NULL },
	};
	git_remote_head heads[ZP_ARRAY_SIZE(names)] = { 0 };
	const git_remote_head *list[ZP_ARRAY_SIZE(names)];

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		heads[i].name = names[i];
		list[i] = &heads[i];
	}
	heads[0].symref_target = names[2];
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		struct sync_choice choice;
		zp_autoerror err = ZP_ERROR_INIT;
		int rc = sync_choose_ref(list, ZP_ARRAY_SIZE(names), rows[i].ref, &choice, &err);
		assert_int_equal(rc, rows[i].name ? 0 : -1);
		if (rows[i].name)
			assert_string_equal(choice.name, rows[i].name);
		free(choice.name);
	}
	assert_true(sync_is_commit_id("0123456789012345678901234567890123456789"));
	assert_false(sync_is_commit_id("012345678901234567890123456789012345678g"));
	assert_false(sync_is_commit_id("abc"));
	assert_false(sync_is_commit_id(NULL));
}

static void reports_are_read(void **state)
{
	static const char text[] =
		"{\"type\":\"version\"}\n"
		"broken {\n"
		"{\"type\":\"change_summary\",\"changes\":{\"add\":1,\"change\":2,\"remove\":3,\"import\":4}}\n"
		"{\"type\":\"diagnostic\",\"diagnostic\":{\"severity\":\"warning\",\"summary\":\"w\"}}\n"
		"{\"type\":\"diagnostic\",\"diagnostic\":{\"severity\":\"error\",\"summary\":\"Bad\",\"detail\":\"d\","
		"\"range\":{\"filename\":\"a.tf\",\"start\":{\"line\":7}}}}\n"
		"{\"type\":\"diagnostic\",\"diagnostic\":{\"severity\":\"error\",\"summary\":\"Saved plan is stale\"}}";
	char path[] = "/tmp/zplan-report-XXXXXX";
	struct sync_report report;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(zp_file_write_atomic(path, zp_str(text), 0600, NULL), 0);
	assert_int_equal(sync_report_read(path, &report, NULL), 0);
	assert_true(report.summed && report.stale && !report.locked);
	assert_true(report.adds == 1 && report.changes == 2 && report.destroys == 3 && report.imports == 4);
	assert_string_equal(report.problem, "a.tf:7: Bad: d");
	sync_report_release(&report);
	assert_int_equal(zp_file_write_atomic(path, zp_str("\nError: no\nwhat\n"), 0600, NULL), 0);
	assert_int_equal(sync_report_read(path, &report, NULL), 0);
	assert_string_equal(report.problem, "Error: no\nwhat");
	sync_report_release(&report);
	unlink(path);
	assert_int_equal(sync_report_read(path, &report, NULL), -1);
}

static void stale_locks(void **state)
{
	static const char info[] = "Error acquiring the state lock: Another run holds the lock.\nLock Info:\n"
		"  ID:        dd87e121-04f9\n  Path:      \n  Who:       root@vm\n  Info:      process 11880\n\n";
	static const char gone[] = "The process that took this lock does not run any more on this machine: the "
		"lock is stale. Remove it with:\n    zplan force-unlock dd87e121-04f9";
	struct sync_stale_lock lock;

	(void)state;
	zp_autofree char *stale = zp_format("%s%s", info, gone);
	assert_true(sync_find_stale_lock(stale, &lock));
	assert_string_equal(lock.id, "dd87e121-04f9");
	assert_int_equal(lock.pid, 11880);
	assert_false(sync_find_stale_lock(info, &lock)); /* it lives */
	assert_false(sync_find_stale_lock(gone, &lock)); /* nobody knows whose it is */
	assert_false(sync_find_stale_lock("", &lock));
}

static void durations(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(sync_parse_duration("90s", &ms) && ms == 90000);
	assert_true(sync_parse_duration("1h30m", &ms) && ms == 5400000);
	assert_true(sync_parse_duration("1.5s", &ms) && ms == 1500);
	assert_true(sync_parse_duration("250ms", &ms) && ms == 250);
	assert_false(sync_parse_duration("", &ms) || sync_parse_duration("5", &ms) || sync_parse_duration("-1s", &ms) ||
		sync_parse_duration("1y", &ms) || sync_parse_duration("400d", &ms) || sync_parse_duration("1s x", &ms) ||
		sync_parse_duration("1e300h", &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(approval_rules),
		cmocka_unit_test(what_a_commit_asks_for),
		cmocka_unit_test(backing_off),
		cmocka_unit_test(versions_in_order),
		cmocka_unit_test(refs_are_chosen),
		cmocka_unit_test(reports_are_read),
		cmocka_unit_test(stale_locks),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
