/* What the controller remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "sync/store.h"

static char folder[] = "/tmp/zplan-sync-store-XXXXXX";
static struct sync_store *store;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	zp_autofree char *path = zp_path_join(folder, "sync.db");
	store = sync_store_open(path, NULL);
	return store ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sync_store_close(store);
	return zp_remove_tree(folder, NULL);
}

static struct sync_run begin(const char *stack, const char *commit, const char *state)
{
	struct sync_run run = { .stack = zp_strdup(stack), .commit = zp_strdup(commit),
		.cause = zp_strdup("poll"), .state = zp_strdup(state) };

	assert_int_equal(sync_store_begin(store, &run, NULL), 0);
	assert_true(run.id > 0);
	return run;
}

static bool count_run(void *data, const struct sync_run *run)
{
	(void)run;
	++*(int *)data;
	return true;
}

static void stacks(void **state)
{
	struct sync_stack_row row;

	(void)state;
	assert_int_equal(sync_store_stack(store, "s", &row, NULL), 0);
	assert_string_equal(row.applied, "");
	free(row.applied);
	row.applied = zp_strdup("abc");
	row.failures = 3;
	row.prune = true;
	assert_int_equal(sync_store_put_stack(store, "s", &row, NULL), 0);
	sync_stack_row_release(&row);
	assert_int_equal(sync_store_stack(store, "s", &row, NULL), 0);
	assert_string_equal(row.applied, "abc");
	assert_true(row.failures == 3 && row.prune);
	sync_stack_row_release(&row);
	char **names = sync_store_stacks(store);
	assert_string_equal(names[0], "s");
	assert_null(names[1]);
	free(names[0]);
	free(names);
	assert_int_equal(sync_store_remove_stack(store, "s", NULL), 0);
}

static void the_queue(void **state)
{
	struct sync_question question;

	(void)state;
	assert_int_equal(sync_store_take(store, "q", &question, NULL), 0);
	assert_int_equal(sync_store_ask(store, "q", "manual", true, NULL), 0);
	assert_int_equal(sync_store_ask(store, "q", "webhook", false, NULL), 0);
	assert_int_equal(sync_store_queue_length(store), 1);
	assert_true(sync_store_is_asked(store, "q"));
	assert_int_equal(sync_store_take(store, "q", &question, NULL), 1);
	assert_string_equal(question.cause, "webhook");
	assert_true(question.forced);
	sync_question_release(&question);
	assert_false(sync_store_is_asked(store, "q"));
}

static void decisions(void **state)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct sync_stack_row row;
	struct sync_run found;

	(void)state;
	assert_int_equal(sync_store_stack(store, "d", &row, NULL), 0);
	assert_int_equal(sync_store_put_stack(store, "d", &row, NULL), 0);
	sync_stack_row_release(&row);
	assert_int_equal(sync_store_decide(store, "d", 0, true, "me", &err), -1);
	assert_string_equal(zp_error_text(&err), "no run of stack \"d\" waits for approval");
	struct sync_run run = begin("d", "c1", SYNC_WAITING);
	assert_int_equal(sync_store_decide(store, "d", run.id + 1, true, "me", &err), -1);
	assert_int_equal(sync_store_decide(store, "d", run.id, true, "me", &err), 0);
	assert_int_equal(sync_store_open_run(store, "d", &found, NULL), 1);
	assert_string_equal(found.state, SYNC_APPROVED);
	assert_string_equal(found.decided_by, "me");
	/* It is cut off: what is left of it needs no second approval, more than that does. */
	free(found.state);
	found.state = zp_strdup(SYNC_INTERRUPTED);
	found.destroys = 4;
	assert_int_equal(sync_store_finish(store, &found, 10, NULL), 0);
	struct sync_run next = begin("d", "c1", SYNC_PLANNING);
	assert_true(sync_store_was_approved(store, "d", next.id, "c1", 4));
	assert_false(sync_store_was_approved(store, "d", next.id, "c1", 5));
	assert_false(sync_store_was_approved(store, "d", next.id, "c2", 1));
	sync_run_release(&run);
	sync_run_release(&found);
	free(next.state);
	next.state = zp_strdup(SYNC_WAITING);
	assert_int_equal(sync_store_update(store, &next, NULL), 0);
	assert_int_equal(sync_store_decide(store, "d", 0, false, "me", &err), 0);
	assert_int_equal(sync_store_open_run(store, "d", &found, NULL), 0);
	assert_int_equal(sync_store_stack(store, "d", &row, NULL), 0);
	assert_string_equal(row.rejected, "c1");
	sync_stack_row_release(&row);
	sync_run_release(&next);
}

static void the_history_is_bounded(void **state)
{
	int count = 0;

	(void)state;
	struct sync_run open = begin("h", "c", SYNC_WAITING);
	for (int i = 0; i < 30; i++) {
		struct sync_run run = begin("h", "c", SYNC_APPLIED);
		assert_int_equal(sync_store_finish(store, &run, 10, NULL), 0);
		sync_run_release(&run);
	}
	assert_int_equal(sync_store_history(store, "h", 1000, count_run, &count, NULL), 0);
	assert_int_equal(count, 11); /* what is open stays */
	count = 0;
	assert_int_equal(sync_store_history(store, "h", 5, count_run, &count, NULL), 0);
	assert_int_equal(count, 5);
	sync_run_release(&open);
}

static void posts_keep_their_order(void **state)
{
	struct sync_post first = { .repository = (char *)"r", .commit = (char *)"c", .stack = (char *)"s",
		.state = (char *)"pending", .message = (char *)"m" };
	struct sync_post second = first, found;

	(void)state;
	second.state = (char *)"success";
	assert_int_equal(sync_store_post(store, &first, NULL), 0);
	assert_int_equal(sync_store_post(store, &second, NULL), 0);
	assert_int_equal(sync_store_next_post(store, &found, NULL), 1);
	assert_string_equal(found.state, "pending");
	assert_int_equal(sync_store_postpone(store, found.id, sync_now() + 60000, NULL), 0);
	int64_t id = found.id;
	sync_post_release(&found);
	assert_int_equal(sync_store_next_post(store, &found, NULL), 0);
	assert_int_equal(sync_store_posted(store, id, NULL), 0);
	assert_int_equal(sync_store_next_post(store, &found, NULL), 1);
	assert_string_equal(found.state, "success");
	sync_post_release(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks),
		cmocka_unit_test(the_queue),
		cmocka_unit_test(decisions),
		cmocka_unit_test(the_history_is_bounded),
		cmocka_unit_test(posts_keep_their_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
