/* Commands as processes of their own, and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "sync/child.h"
#include "sync/slots.h"

static char folder[] = "/tmp/zplan-sync-child-XXXXXX";
static char *log_path;
static int stop_fd;
static char identity[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	log_path = zp_path_join(folder, "log");
	stop_fd = eventfd(0, EFD_NONBLOCK);
	return stop_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	free(log_path);
	close(stop_fd);
	return zp_remove_tree(folder, NULL);
}

static void note(void *data, const char *text)
{
	(void)data;
	snprintf(identity, sizeof(identity), "%s", text);
}

static int run(const char *script, int timeout_ms, struct zp_error *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	char *environment[] = { (char *)"PATH=/usr/bin:/bin", NULL };

	return sync_child_run(&(struct sync_child){ .argv = argv, .directory = folder, .log_path = log_path,
		.environment = environment, .timeout_ms = timeout_ms, .stop_fd = stop_fd, .started = note }, err);
}

static void ends(void **state)
{
	zp_autobuf text = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(run("pwd; echo no >&2; exit 3", 0, &err), 3);
	assert_int_equal(zp_file_read(log_path, 4096, &text, NULL), 0);
	zp_autofree char *said = zp_format("%s\nno\n", folder);
	assert_string_equal(text.ptr, said);
	assert_int_equal(run("kill -TERM $$", 0, &err), 128 + SIGTERM);
	const char *const argv[] = { "/nothing/there", NULL };
	assert_int_equal(sync_child_run(&(struct sync_child){ .argv = argv, .log_path = log_path,
		.stop_fd = stop_fd }, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "/nothing/there"));
}

static void too_late(void **state)
{
	zp_autoerror err = ZP_ERROR_INIT;

	(void)state;
	assert_int_equal(run("trap 'exit 0' INT; while :; do sleep 0.05; done", 200, &err), -1);
	assert_non_null(strstr(zp_error_text(&err), "not done after"));
}

static void *stop_soon(void *data)
{
	uint64_t one = 1;

	usleep(200000);
	assert_int_equal(write(stop_fd, &one, sizeof(one)), sizeof(one));
	return data;
}

static void stopped(void **state)
{
	pthread_t thread;
	uint64_t count;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
	assert_int_equal(run("trap 'exit 1' INT; while :; do sleep 0.05; done", 0, NULL), SYNC_CHILD_STOPPED);
	pthread_join(thread, NULL);
	/* Nothing new is begun. */
	assert_int_equal(run("exit 0", 0, NULL), SYNC_CHILD_STOPPED);
	assert_int_equal(read(stop_fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(run("exit 0", 0, NULL), 0);
}

static void left_over(void **state)
{
	int status;

	(void)state;
	/* One that ended is nobody any more, and whoever has its number by now is left alone. */
	sync_child_end(identity, 1000);
	zp_autofree char *wrong = zp_format("%d:1", (int)getpid());
	sync_child_end(wrong, 1000);
	sync_child_end("", 1000);
	sync_child_end("1:1", 1000);
	pid_t pid = fork();
	if (!pid) {
		run("trap '' INT; while :; do sleep 0.05; done", 0, NULL);
		_exit(0);
	}
	usleep(300000);
	/* The grandchild ignores being interrupted: it is killed once patience ends. */
	zp_autofree char *children = zp_format("/proc/%d/task/%d/children", (int)pid, (int)pid);
	zp_autobuf text = ZP_BUF_INIT;
	if (zp_file_read(children, 100, &text, NULL) == 0 && text.len) {
		long grandchild = strtol(text.ptr, NULL, 10);
		zp_autofree char *path = zp_format("/proc/%ld/stat", grandchild);
		zp_autobuf stat = ZP_BUF_INIT;
		assert_int_equal(zp_file_read(path, 4096, &stat, NULL), 0);
		char *save = NULL, *field = strtok_r(strrchr(stat.ptr, ')') + 1, " ", &save);
		for (int i = 3; i < 22; i++)
			field = strtok_r(NULL, " ", &save);
		zp_autofree char *who = zp_format("%ld:%s", grandchild, field);
		sync_child_end(who, 300);
	} else {
		kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void what_commands_see(void **state)
{
	const char *names[] = { "SYNC_TEST_SECRET" };
	struct sync_config config = { .secret_names = names, .secret_name_count = 1 };
	bool data = false, kept = false;

	(void)state;
	setenv("SYNC_TEST_SECRET", "x", 1);
	setenv("SYNC_TEST_SECRET2", "y", 1);
	setenv("TF_CLI_ARGS_plan", "-destroy", 1);
	setenv("TF_WORKSPACE", "other", 1);
	char **environment = sync_child_environment(&config, "/d");
	for (char **entry = environment; *entry; entry++) {
		assert_int_not_equal(strncmp(*entry, "SYNC_TEST_SECRET=", 17), 0);
		assert_int_not_equal(strncmp(*entry, "TF_CLI_ARGS", 11), 0);
		assert_int_not_equal(strncmp(*entry, "TF_WORKSPACE", 12), 0);
		data |= strcmp(*entry, "TF_DATA_DIR=/d") == 0;
		kept |= strcmp(*entry, "SYNC_TEST_SECRET2=y") == 0;
	}
	assert_true(data && kept);
	sync_texts_free(environment);
}

static void whose_turn_it_is(void **state)
{
	struct sync_stack stacks[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct sync_config config = { .stacks = stacks, .stack_count = 3 };
	zp_autofree char *path = zp_path_join(folder, "slots.db");
	struct sync_store *store = sync_store_open(path, NULL);
	struct sync_slots slots = { 0 };
	size_t count;

	(void)state;
	assert_non_null(store);
	sync_slots_update(&slots, &config, store);
	sync_slots_find(&slots, "a")->next_at = 100;
	sync_slots_find(&slots, "b")->next_at = 50;
	sync_slots_find(&slots, "c")->next_at = 1000;
	sync_slots_look(&slots, store, 60);
	sync_slots_look(&slots, store, 120);
	struct sync_slot **due = sync_slots_due(&slots, &count);
	assert_int_equal(count, 2);
	assert_string_equal(due[0]->name, "b"); /* it waits longer */
	assert_string_equal(due[1]->name, "a");
	free(due);
	sync_slots_find(&slots, "b")->running = true;
	sync_store_ask(store, "c", "webhook", false, NULL);
	sync_slots_look(&slots, store, 130);
	due = sync_slots_due(&slots, &count);
	assert_int_equal(count, 2);
	assert_string_equal(due[1]->name, "c");
	free(due);
	/* A stack that is no longer configured, and that the store does not know, keeps its slot until removed. */
	config.stack_count = 1;
	sync_slots_update(&slots, &config, store);
	assert_null(sync_slots_find(&slots, "c")->stack);
	sync_slots_remove(&slots, sync_slots_find(&slots, "c"));
	assert_null(sync_slots_find(&slots, "c"));
	sync_slots_release(&slots);
	sync_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(too_late),
		cmocka_unit_test(stopped),
		cmocka_unit_test(left_over),
		cmocka_unit_test(what_commands_see),
		cmocka_unit_test(whose_turn_it_is),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
