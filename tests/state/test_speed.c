/*
 * How fast states are read and written: `test_speed N` prints figures for N instances
 * (mk/bench/state.sh); without words it is a test on a small one, of what must hold at any size.
 */
#include "tests/state/folder.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "state/journal.h"

#define SMALL 5000
#define JOURNAL_THREADS 10

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double peak_bytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss * 1024;
}

static void write_sample(const char *path, int64_t count)
{
	struct state *state = state_new();
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	for (int64_t i = 0; i < count; i++) {
		zp_autofree char *attributes = zp_format(
			"{\"id\":\"0c3f3c8c-7d2f-4b1e-9a53-%012lld\",\"input\":{"
			"\"value\":\"item "
			"%lld\",\"type\":\"string\"},\"output\":null,\"triggers_replace\":null}",
			(long long)i, (long long)i);
		add_object(state, "many", i, attributes);
	}
	state_write(state, &text);
	if (zp_file_write_atomic(path, zp_buf_slice(&text), 0600, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	state_free(state);
}

struct journal_work {
	struct state_journal *journal;
	int64_t count;
};

static void *append(void *data)
{
	const struct journal_work *work = data;

	for (int64_t i = 0; i < work->count; i++) {
		struct state_intent intent = { .action = STATE_ACT_CREATE,
			.address = "t.many[0]",
			.identity = "x",
			.module = "",
			.type = "t",
			.name = "many",
			.provider = "p",
			.planned = ZP_STR("{\"a\":1}") };
		if (!state_journal_intent(work->journal, &intent, NULL))
			return NULL;
	}
	return data;
}

static double journal_rate(const char *path, int64_t count)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct journal_work work = { state_journal_create(path, "l", 1, &err),
		count / JOURNAL_THREADS };
	pthread_t threads[JOURNAL_THREADS];
	double start = seconds();

	assert_non_null(work.journal);
	for (size_t i = 0; i < JOURNAL_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append, &work), 0);
	for (size_t i = 0; i < JOURNAL_THREADS; i++) {
		void *done;
		pthread_join(threads[i], &done);
		assert_non_null(done);
	}
	double rate = (double)(work.count * JOURNAL_THREADS) / (seconds() - start);
	assert_int_equal(state_journal_finish(work.journal, &err), 0);
	return rate;
}

static int measure(int64_t count, bool print)
{
	char folder[] = "/tmp/zplan-speed-XXXXXX";
	zp_autoerror err = ZP_ERROR_INIT;
	struct zp_buf text = ZP_BUF_INIT, out = ZP_BUF_INIT;

	assert_non_null(mkdtemp(folder));
	zp_autofree char *path = zp_path_join(folder, "a.tfstate"),
			 *journal = zp_path_join(folder, "j");
	/* Another process makes it, so that the peak is of loading alone. */
	pid_t child = fork();
	if (!child) {
		write_sample(path, count);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	double before = peak_bytes(), start = seconds();
	assert_int_equal(zp_file_read(path, (size_t)8 << 30, &text, &err), 0);
	double size = (double)text.len;
	struct state *state = state_parse_take(&text, path, &err);
	assert_non_null(state);
	double loaded = seconds() - start, memory = peak_bytes() - before;
	start = seconds();
	state_write(state, &out);
	double written = seconds() - start;
	assert_int_equal(zp_file_write_atomic(path, zp_buf_slice(&out), 0600, &err), 0);
	double stored = seconds() - start;
	assert_int_equal(state->object_count, count);
	assert_int_equal(out.len, (size_t)size);
	if (print)
		printf("%-34s %10lld\n%-34s %10.1f MB\n%-34s %10.1f MB/s\n%-34s %10.1f MB/s\n%-34s "
		       "%10.1f MB/s\n"
		       "%-34s %10.2f x file\n",
			"instances", (long long)count, "file", size / 1e6, "load (read and parse)",
			size / 1e6 / loaded, "store (lay out)", size / 1e6 / written,
			"store (to disk, fsync)", size / 1e6 / stored, "memory while loading",
			memory / size);
	state_free(state);
	zp_buf_release(&out);
	double rate = journal_rate(journal, print ? 20000 : 200);
	if (print)
		printf("%-34s %10.0f /s\n", "journal: durable intents, 10 writers", rate);
	zp_remove_tree(folder, NULL);
	return 0;
}

static void test_small(void **data)
{
	(void)data;
	measure(SMALL, false);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_small) };

	if (argc > 1)
		return measure(strtoll(argv[1], NULL, 10), true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
