/*
 * Runs a test in namespaces of its own (processes, mounts, network) with an empty /run, so that
 *nothing is left behind however it ends: its processes end with it, and so do its links and mounts.
 *
 *	int main(void)
 *	{
 *		return isolate_run(run_all);
 *	}
 * Where that is not allowed, run_all runs as it is and `isolated` is false: skip what needs it.
 */
#ifndef TESTS_PROVIDERS_ISOLATE_H
#define TESTS_PROVIDERS_ISOLATE_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool isolated;

/*
 * Process 1 inherits what others leave behind, and has to collect it: who looks whether a process has
 * ended would wait for ever otherwise. So the tests are another process.
 */
static inline int isolate_tests(int (*tests)(void))
{
	int status = 0, result = 1;
	pid_t pid = fork(), ended;

	if (pid == 0)
		exit(tests());
	while ((ended = wait(&status)) != pid && (ended > 0 || errno == EINTR))
		;
	if (ended == pid && WIFEXITED(status))
		result = WEXITSTATUS(status);
	return result;
}

static inline int isolate_first_process(int (*tests)(void))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("", "/", "none", MS_PRIVATE | MS_REC, NULL) != 0 ||
		mount("proc", "/proc", "proc", 0, NULL) != 0 ||
		mount("tmpfs", "/run", "tmpfs", 0, NULL) != 0)
		return 99;
	isolated = true;
	return isolate_tests(tests);
}

/* In between, because a process that has left its own process namespace is of little use. */
static inline int isolate_middle(int (*tests)(void))
{
	int status = 0;
	pid_t first;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) != 0)
		return 98;
	first = fork();
	if (first == 0)
		exit(isolate_first_process(tests));
	if (first < 0 || waitpid(first, &status, 0) < 0)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline int isolate_run(int (*tests)(void))
{
	int status = 0;
	pid_t middle;

	if (geteuid() != 0)
		return tests();
	middle = fork();
	if (middle == 0)
		_exit(isolate_middle(tests));
	if (middle < 0 || waitpid(middle, &status, 0) < 0)
		return 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 98)
		return tests();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline void need_isolation(void)
{
	if (!isolated)
		skip();
}

#endif
