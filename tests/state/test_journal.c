/* The journal: what was recorded is read back, whatever happened to the file behind its back. */
#include <errno.h>
#include <pthread.h>

#include "state/journal.h"
#include "state/journal_record.h"
#include "tests/state/folder.h"

/* Stands before the library's: counts, and takes long enough for others to queue up behind it. */
static int syncs, sync_error;

int fdatasync(int fd)
{
	__atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
	usleep(10000);
	if (sync_error) {
		errno = sync_error;
		return -1;
	}
	return fsync(fd);
}

static int setup(void **data)
{
	syncs = sync_error = 0;
	return folder_setup(data);
}

static struct state_intent intent_of(enum state_action action, const char *name)
{
	return (struct state_intent){ .action = action, .address = name, .identity = "id\n1",
		.module = "", .type = "t", .name = name + 2, .provider = "provider[\"p\"]",
		.schema_version = 3, .planned = ZP_STR("{\n \"v\": 1\n}") };
}

static struct state_journal *created(const char *path)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_journal *journal = state_journal_create(path, "lineage-1", 42, &err);

	if (!journal)
		fail_msg("%s", zp_error_text(&err));
	return journal;
}

static struct state_replay *replayed(const char *path)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_replay *replay = NULL;

	if (state_journal_read(path, &replay, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	return replay;
}

/* Five intents: made, gone, failed, failed with something left, and one nobody knows the end of. */
static void write_sample(const char *path)
{
	struct state_journal *journal = created(path);
	struct state *state = state_new();
	static const char *const dependencies[] = { "t.x", "t.y" };
	struct state_intent made = intent_of(STATE_ACT_CREATE, "t.made");

	made.dependencies = dependencies;
	made.dependency_count = 2;
	made.replaced_as = "0000000a";
	struct state_intent intents[] = { made, intent_of(STATE_ACT_DELETE, "t.gone"),
		intent_of(STATE_ACT_UPDATE, "t.failed"), intent_of(STATE_ACT_CREATE, "t.tainted"),
		intent_of(STATE_ACT_CREATE, "t.open") };
	for (size_t i = 0; i < ZP_ARRAY_SIZE(intents); i++)
		assert_int_equal(state_journal_intent(journal, &intents[i], NULL), i + 1);
	struct state_object object = *add_object(state, "made", -1, "{\n \"v\": \"\\u003c\"\n}");
	object.dependencies = dependencies;
	object.dependency_count = 2;
	object.create_before_destroy = true;
	object.extra = ZP_STR("{\"later\":1}");
	object.private_data = ZP_STR("AA==");
	assert_int_equal(state_journal_outcome(journal, 1, &object, NULL), 0);
	assert_int_equal(state_journal_outcome(journal, 2, NULL, NULL), 0);
	assert_int_equal(state_journal_failed(journal, 3, NULL, "no \"luck\"", NULL), 0);
	struct state_object tainted = *add_object(state, "tainted", -1, "{}");
	tainted.tainted = true;
	assert_int_equal(state_journal_failed(journal, 4, &tainted, "half", NULL), 0);
	assert_int_equal(state_journal_sync(journal, NULL), 0);
	state_journal_abandon(journal);
	state_free(state);
}

static struct state *state_before(void)
{
	struct state *state = state_new();

	add_object(state, "made", -1, "{\"v\":0}");
	add_object(state, "gone", -1, "{}");
	add_object(state, "failed", -1, "{\"v\":\"former\"}");
	return state;
}

static void test_read_back(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct stat st;

	write_sample(path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct state_replay *replay = replayed(path);
	assert_string_equal(replay->lineage, "lineage-1");
	assert_int_equal(replay->serial, 42);
	assert_int_equal(replay->count, 5);
	assert_false(replay->truncated);
	assert_int_equal(replay->lost, 0);
	const struct state_intent *made = &replay->entries[0].intent;
	assert_string_equal(made->address, "t.made");
	assert_string_equal(made->identity, "id\n1");
	assert_string_equal(made->replaced_as, "0000000a");
	assert_int_equal(made->schema_version, 3);
	assert_int_equal(made->dependency_count, 2);
	assert_string_equal(made->dependencies[1], "t.y");
	assert_true(zp_str_is(made->planned, "{\n \"v\": 1\n}"));
	const struct state_object *object = replay->entries[0].object;
	assert_string_equal(object->address, "t.made");
	assert_true(object->create_before_destroy);
	assert_true(zp_str_is(object->extra, "{\"later\":1}"));
	assert_true(zp_str_is(object->private_data, "AA=="));
	assert_true(replay->entries[2].failed && !replay->entries[2].object);
	assert_true(replay->entries[3].failed && replay->entries[3].object->tainted);
	assert_false(replay->entries[4].done);
	state_replay_free(replay);
}

static void assert_taken_over(const struct state *state)
{
	assert_true(zp_str_is(state_find(state, "t.made", "0000000a")->attributes, "{\"v\":0}"));
	assert_non_null(strstr(state_find(state, "t.made", NULL)->attributes.ptr, "u003c"));
	assert_null(state_find(state, "t.gone", NULL));
	assert_true(zp_str_is(state_find(state, "t.failed", NULL)->attributes, "{\"v\":\"former\"}"));
	assert_true(state_find(state, "t.tainted", NULL)->tainted);
	assert_null(state_find(state, "t.open", NULL));
	assert_int_equal(state->by_address.count, 4);
}

/* A state stored in the middle of the run has some outcomes already: taking over again changes nothing. */
static void test_take_over(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct state *state = state_before();

	write_sample(path);
	struct state_replay *replay = replayed(path);
	for (int i = 0; i < 3; i++) {
		state_replay_apply(replay, state);
		assert_taken_over(state);
	}
	state_replay_free(replay);
	state_free(state);
}

/* Once the deposed object is destroyed and stored, the new one is not mistaken for it. */
static void test_take_over_after_destroy(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct state *state = state_before();

	write_sample(path);
	struct state_replay *replay = replayed(path);
	state_replay_apply(replay, state);
	state_remove(state, "t.made", "0000000a");
	state_replay_apply(replay, state);
	assert_null(state_find(state, "t.made", "0000000a"));
	assert_non_null(state_find(state, "t.made", NULL));
	state_replay_free(replay);
	state_free(state);
}

/* Records before byte n, whole ones (the newline may be missing). */
static size_t whole_records(struct zp_str text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len && i <= n; i++)
		count += text.ptr[i] == '\n';
	return count;
}

static void test_truncated_anywhere(void **data)
{
	zp_autofree char *path = path_in(data, "j");

	write_sample(path);
	zp_autobuf text = file_text(path);
	for (size_t n = 0; n < text.len; n++) {
		size_t records = whole_records(zp_buf_slice(&text), n);
		size_t intents = records < 1 ? 0 : records - 1 > 5 ? 5 : records - 1;
		assert_int_equal(truncate(path, (off_t)text.len), 0);
		put_file(path, text.ptr);
		assert_int_equal(truncate(path, (off_t)n), 0);
		struct state_replay *replay = replayed(path);
		if (!n) {
			assert_null(replay);
			continue;
		}
		struct state *state = state_before();
		assert_int_equal(replay->count, intents);
		assert_int_equal(replay->lost, 0);
		bool cut = text.ptr[n - 1] != '\n' && text.ptr[n] != '\n';
		assert_int_equal(replay->truncated, cut);
		state_replay_apply(replay, state);
		assert_int_equal(!!state_find(state, "t.gone", NULL), records < 8);
		state_free(state);
		state_replay_free(replay);
	}
}

static void test_flipped_anywhere(void **data)
{
	zp_autofree char *path = path_in(data, "j");

	write_sample(path);
	zp_autobuf text = file_text(path);
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		struct state_replay *replay = NULL;
		text.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(state_journal_parse(zp_buf_slice(&text), "j", &replay, NULL), 0);
		text.ptr[bit / 8] ^= (char)(1 << bit % 8);
		assert_true(replay->truncated);
		struct state *state = state_before();
		state_replay_apply(replay, state);
		/* One flip costs at most the two records around a newline. */
		assert_in_range(replay->count, 3, 5);
		state_free(state);
		state_replay_free(replay);
	}
}

/* A checkpoint keeps what is under way, and only that; numbers go on. */
static void test_checkpoint(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	zp_autofree char *next = path_in(data, "j.next");
	struct state_journal *journal = state_journal_create(path, "lineage-1", 42, NULL);
	struct state *state = state_before();
	struct state_intent a = intent_of(STATE_ACT_CREATE, "t.a");
	struct state_intent b = intent_of(STATE_ACT_CREATE, "t.b");
	struct state_intent c = intent_of(STATE_ACT_DELETE, "t.c");
	const struct state_object *object = add_object(state, "b", -1, "{\"v\":7}");
	struct stat st;

	assert_int_equal(state_journal_intent(journal, &a, NULL), 1);
	assert_int_equal(state_journal_intent(journal, &b, NULL), 2);
	assert_int_equal(state_journal_outcome(journal, 1, NULL, NULL), 0);
	assert_int_equal(state_journal_checkpoint(journal, "lineage-1", 43, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(next, &st), -1);
	assert_int_equal(state_journal_intent(journal, &c, NULL), 3);
	assert_int_equal(state_journal_outcome(journal, 2, object, NULL), 0);
	/* What came before the file may be told of again, as after provisioners. */
	assert_int_equal(state_journal_outcome(journal, 1, object, NULL), 0);
	for (int i = 0; i < 100; i++) {
		uint64_t number = state_journal_intent(journal, &a, NULL);
		assert_int_equal(state_journal_outcome(journal, number, NULL, NULL), 0);
		assert_int_equal(state_journal_checkpoint(journal, "lineage-1", 44, NULL), 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 2000);
	state_journal_abandon(journal);
	struct state_replay *replay = replayed(path);
	assert_int_equal(replay->serial, 44);
	assert_int_equal(replay->count, 3);
	assert_false(replay->truncated);
	assert_null(replay->entries[0].intent.address);
	assert_string_equal(replay->entries[2].intent.address, "t.c");
	assert_false(replay->entries[2].done);
	state_replay_free(replay);
	state_free(state);
}

/* Damage in the middle costs the damaged record, not the deeds recorded behind it. */
static void test_damage_in_the_middle(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct state_replay *replay = NULL;
	struct state *state = state_before();

	write_sample(path);
	zp_autobuf text = file_text(path);
	*strstr(text.ptr, "t.gone") = 'T';
	assert_int_equal(state_journal_parse(zp_buf_slice(&text), "j", &replay, NULL), 0);
	assert_int_equal(replay->count, 5);
	assert_int_equal(replay->lost, 1);
	assert_true(replay->truncated);
	assert_null(replay->entries[1].intent.address);
	assert_true(replay->entries[1].done);
	assert_string_equal(replay->entries[4].intent.address, "t.open");
	state_replay_apply(replay, state);
	assert_non_null(state_find(state, "t.gone", NULL));
	assert_non_null(state_find(state, "t.tainted", NULL));
	state_replay_free(replay);
	state_free(state);
}

/* Whole records with a right checksum that still make no sense. */
static void test_nonsense(void **data)
{
	static const char *const rows[] = { "", "{}", "[]", "{\"intent\":0}", "{\"intent\":2}",
		"{\"intent\":9000000000000000000}", "{\"done\":1}", "{\"failed\":-1}", "{\"later\":1}",
		"{\"intent\":1,\"address\":5}", "{\"done\":1,\"object\":[]}" };

	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(rows); i++) {
		zp_autobuf line = ZP_BUF_INIT;
		struct state_replay *replay = NULL;
		state_record_seal(zp_str(rows[i]), &line);
		assert_int_equal(state_journal_parse(zp_buf_slice(&line), "j", &replay, NULL), 0);
		assert_true(replay->truncated);
		assert_int_equal(replay->count, 0);
		state_replay_free(replay);
	}
}

static void test_newer_format(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	zp_autobuf line = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_replay *replay = NULL;

	state_record_seal(ZP_STR("{\"journal\":2,\"lineage\":\"x\"}"), &line);
	put_file(path, line.ptr);
	assert_int_equal(state_journal_read(path, &replay, &err), -1);
	assert_null(replay);
	assert_non_null(strstr(err.message, "created by another version of zplan"));
	zp_autobuf after = file_text(path);
	assert_string_equal(after.ptr, line.ptr);
}

static void test_life(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	zp_autoerror err = ZP_ERROR_INIT;

	assert_null(replayed(path));
	struct state_journal *journal = created(path);
	assert_null(state_journal_create(path, "l", 1, &err));
	assert_non_null(strstr(err.message, "did not finish"));
	assert_int_equal(state_journal_finish(journal, NULL), 0);
	assert_false(zp_file_exists(path));
	assert_int_equal(state_journal_remove(path, NULL), 0);
	put_file(path, "");
	assert_null(replayed(path));
	state_journal_abandon(created(path));
	assert_true(zp_file_exists(path));
	zp_autofree char *nowhere = path_in(data, "no/such/folder/j");
	assert_null(state_journal_create(nowhere, "l", 1, &err));
}

#define THREADS 10

static void *one_intent(void *data)
{
	struct state_intent intent = intent_of(STATE_ACT_CREATE, "t.x");

	return (void *)(uintptr_t)state_journal_intent(data, &intent, NULL);
}

/* Ten at once wait for one or two syncs, not for ten; each number is given once. */
static void test_grouped_syncs(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct state_journal *journal = created(path);
	pthread_t threads[THREADS];
	unsigned seen = 0;

	syncs = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, one_intent, journal), 0);
	for (int i = 0; i < THREADS; i++) {
		void *number;
		pthread_join(threads[i], &number);
		seen |= 1u << (uintptr_t)number;
	}
	assert_int_equal(seen, 0x7fe);
	assert_in_range(syncs, 1, THREADS / 2);
	state_journal_abandon(journal);
	struct state_replay *replay = replayed(path);
	assert_int_equal(replay->count, THREADS);
	state_replay_free(replay);
}

/* After a failed sync nobody is told that anything is on disk. */
static void test_failing_disk(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	struct state_journal *journal = created(path);
	struct state_intent intent = intent_of(STATE_ACT_CREATE, "t.x");
	zp_autoerror err = ZP_ERROR_INIT;

	assert_int_equal(state_journal_intent(journal, &intent, &err), 1);
	sync_error = EIO;
	assert_int_equal(state_journal_intent(journal, &intent, &err), 0);
	assert_int_equal(err.code, EIO);
	sync_error = 0;
	zp_error_clear(&err);
	assert_int_equal(state_journal_intent(journal, &intent, &err), 0);
	assert_int_equal(state_journal_sync(journal, &err), -1);
	state_journal_abandon(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_back, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_take_over, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_take_over_after_destroy, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_truncated_anywhere, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_flipped_anywhere, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_damage_in_the_middle, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_checkpoint, setup, folder_teardown),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test_setup_teardown(test_newer_format, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_grouped_syncs, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_failing_disk, setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
