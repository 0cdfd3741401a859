#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "state/journal.h"

struct fixture {
	char dir[64];
	char *path;
};

static int setup(void **data)
{
	struct fixture *f = zp_calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/zplan-journal-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->path = zp_format("%s/journal", f->dir);
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

static struct state_intent intent_of(const char *address)
{
	return (struct state_intent){ .action = STATE_ACT_CREATE, .address = address,
		.identity = "id-1", .module = "", .type = "t", .name = "n", .provider = "provider[\"p\"]",
		.key = { STATE_STRING_KEY, 0, ZP_STR("k\"\n") }, .planned = ZP_STR("{\"a\":\"\\u00e9\"}") };
}

/* Two intents, one with an outcome. */
static void write_sample(const char *path)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = state_new();
	struct state_object object = { .attributes = ZP_STR("{\"id\": \"x\"}"), .tainted = true };
	struct state_journal *journal = state_journal_create(path, "lineage-1", 7, &err);
	struct state_intent first = intent_of("t.n[\"k\"]"), second = intent_of("t.m");

	assert_non_null(journal);
	object.resource = state_resource(state, "", STATE_MANAGED, "t", "n", "provider[\"p\"]");
	object.key = first.key;
	assert_int_equal(state_journal_intent(journal, &first, &err), 1);
	assert_int_equal(state_journal_outcome(journal, 1, &object, &err), 0);
	assert_int_equal(state_journal_intent(journal, &second, &err), 2);
	assert_int_equal(state_journal_sync(journal, &err), 0);
	state_journal_abandon(journal);
	state_free(state);
}

static void test_replay(void **data)
{
	struct fixture *f = *data;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_replay *replay = NULL;

	write_sample(f->path);
	assert_null(state_journal_create(f->path, "lineage-1", 7, &err));
	assert_int_equal(state_journal_read(f->path, &replay, &err), 0);
	assert_non_null(replay);
	assert_string_equal(replay->lineage, "lineage-1");
	assert_int_equal(replay->serial, 7);
	assert_int_equal(replay->count, 2);
	assert_false(replay->truncated);
	assert_true(replay->entries[0].done);
	assert_false(replay->entries[1].done);
	assert_string_equal(replay->entries[1].intent.address, "t.m");
	assert_string_equal(replay->entries[1].intent.identity, "id-1");

	struct state *state = state_new();
	state_replay_apply(replay, state);
	const struct state_object *object = state_find(state, "t.n[\"k\\\"\\n\"]", NULL);
	assert_non_null(object);
	assert_true(object->tainted);
	assert_true(zp_str_is(object->attributes, "{\"id\": \"x\"}"));
	state_free(state);
	state_replay_free(replay);
	assert_int_equal(state_journal_remove(f->path, &err), 0);
	assert_int_equal(state_journal_read(f->path, &replay, &err), 0);
	assert_null(replay);
}

/* Cut anywhere, the whole lines before the cut are used, and no more. */
static void test_truncation(void **data)
{
	struct fixture *f = *data;
	zp_autobuf text = ZP_BUF_INIT;

	write_sample(f->path);
	assert_int_equal(zp_file_read(f->path, 1 << 20, &text, NULL), 0);
	for (size_t cut = 1; cut < text.len; cut++) {
		struct state_replay *replay = NULL;
		size_t lines = 0, intents = 0;
		for (size_t i = 0; i < cut; i++)
			lines += text.ptr[i] == '\n';
		intents = lines >= 4 ? 2 : lines >= 2 ? 1 : 0;
		zp_file_write_atomic(f->path, zp_strn(text.ptr, cut), 0600, NULL);
		assert_int_equal(state_journal_read(f->path, &replay, NULL), 0);
		assert_non_null(replay);
		assert_int_equal(replay->count, intents);
		assert_int_equal(replay->truncated, text.ptr[cut - 1] != '\n');
		state_replay_free(replay);
	}
}

/* A flipped bit is found by the checksum: what stands before it is used, nothing wrong is taken over. */
static void test_bit_flips(void **data)
{
	struct fixture *f = *data;
	zp_autobuf text = ZP_BUF_INIT;

	write_sample(f->path);
	assert_int_equal(zp_file_read(f->path, 1 << 20, &text, NULL), 0);
	for (size_t at = 0; at < text.len; at++) {
		struct state_replay *replay = NULL;
		text.ptr[at] ^= 4;
		zp_file_write_atomic(f->path, zp_buf_slice(&text), 0600, NULL);
		assert_int_equal(state_journal_read(f->path, &replay, NULL), 0);
		assert_non_null(replay);
		assert_true(replay->truncated);
		state_replay_free(replay);
		text.ptr[at] ^= 4;
	}
}

static void *write_many(void *data)
{
	struct state_journal *journal = data;
	struct state_intent intent = intent_of("t.n");

	for (int i = 0; i < 50; i++) {
		uint64_t number = state_journal_intent(journal, &intent, NULL);
		if (!number || state_journal_outcome(journal, number, NULL, NULL) < 0)
			return journal;
	}
	return NULL;
}

static void test_threads(void **data)
{
	struct fixture *f = *data;
	struct state_journal *journal = state_journal_create(f->path, "l", 1, NULL);
	struct state_replay *replay = NULL;
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, write_many, journal);
	for (size_t i = 0; i < 8; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	state_journal_abandon(journal);
	assert_int_equal(state_journal_read(f->path, &replay, NULL), 0);
	assert_int_equal(replay->count, 400);
	for (size_t i = 0; i < replay->count; i++)
		assert_true(replay->entries[i].done);
	state_replay_free(replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bit_flips, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
