/* A process with several threads forks, and its children allocate: libvirt does so within the agent. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

static atomic_bool stop;

static void *allocate(void *unused)
{
	(void)unused;
	for (size_t size = 16; !atomic_load(&stop); size = size > 100000 ? 16 : size * 3 / 2) {
		volatile char *memory = zp_malloc(size);
		memory[0] = 1;
		free((void *)memory);
	}
	return NULL;
}

static void child(void)
{
	for (size_t size = 16; size < 200000; size *= 2) {
		volatile char *memory = malloc(size);
		if (!memory)
			_exit(1);
		memory[0] = 1;
		free((void *)memory);
	}
	_exit(0);
}

/* Within ten seconds. */
static bool ends_well(pid_t pid)
{
	int status;

	for (int i = 0; i < 10000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

static void children_can_allocate(void **state)
{
	pthread_t threads[4];
	bool well = true;

	(void)state;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, allocate, NULL), 0);
	for (int i = 0; i < 100 && well; i++) {
		pid_t pid = fork();
		if (!pid)
			child();
		well = pid > 0 && ends_well(pid);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(well);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(children_can_allocate) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
