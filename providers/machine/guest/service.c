#include "providers/machine/guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_INPUTS 16
#define WATCH_DISKS_MS 2000
#define ENTRYPOINT_GRACE 10
#define AFTER_EXIT_GRACE 3

/* As <linux/input.h> has them, which is not at hand here. */
#define EVENT_KEY 1
#define KEY_CODE_POWER 116

struct event {
	struct timeval time;
	unsigned short type, code;
	int value;
};

/* The power button is one of the event devices; the keyboard is another. */
static size_t open_inputs(struct pollfd *polls)
{
	DIR *dir = opendir("/dev/input");
	struct dirent *entry;
	size_t count = 0;

	while (dir && count < MAX_INPUTS && (entry = readdir(dir))) {
		char path[300];
		int fd;

		if (strncmp(entry->d_name, "event", 5) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/input/%s", entry->d_name);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			polls[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (dir)
		closedir(dir);
	return count;
}

static bool power_pressed(int fd)
{
	struct event events[16];
	bool pressed = false;
	ssize_t len;

	while ((len = read(fd, events, sizeof(events))) > 0)
		for (size_t i = 0; i < (size_t)len / sizeof(events[0]); i++)
			pressed |= events[i].type == EVENT_KEY &&
				   events[i].code == KEY_CODE_POWER && events[i].value == 1;
	return pressed;
}

static _Noreturn void become(struct guest_config *config, int report)
{
	char *shell[] = { "/bin/sh", NULL };
	char **args = config->console ? shell : config->args;
	int fd = open(config->console ? "/dev/ttyS0" : "/dev/null", O_RDWR);
	sigset_t none;
	int result;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (fd > 0)
		dup2(fd, 0);
	if (config->console) {
		ioctl(fd, TIOCSCTTY, 1);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	if (fd > 2)
		close(fd);
	execvpe(args[0], args, config->env);
	result = errno;
	while (write(report, &result, sizeof(result)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Returns when the program runs: a pipe that closes by itself then tells. */
static pid_t start(struct guest_config *config)
{
	int ends[2], result = 0;
	ssize_t len;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		guest_fail("starting the entrypoint");
	if (pid == 0)
		become(config, ends[1]);
	close(ends[1]);
	while ((len = read(ends[0], &result, sizeof(result))) < 0 && errno == EINTR)
		;
	close(ends[0]);
	if (len > 0) {
		errno = result;
		guest_fail("running %s", config->console ? "/bin/sh" : config->args[0]);
	}
	return pid;
}

/* Collects what ended; the entrypoint's end is the machine's, a console's shell comes again. */
static pid_t reap(struct guest_config *config, pid_t main_pid)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != main_pid)
			continue;
		if (config->console) {
			usleep(500000);
			main_pid = start(config);
			continue;
		}
		if (WIFSIGNALED(status))
			guest_say("the entrypoint was killed by signal %d", WTERMSIG(status));
		else
			guest_say("the entrypoint ended with status %d", WEXITSTATUS(status));
		guest_power_off(AFTER_EXIT_GRACE);
	}
	return main_pid;
}

_Noreturn void guest_serve(struct guest_config *config)
{
	struct pollfd polls[MAX_INPUTS + 1];
	size_t count = open_inputs(polls);
	struct signalfd_siginfo info;
	pid_t main_pid = 0;
	sigset_t set;
	int signals;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	polls[count] = (struct pollfd){ .fd = signals, .events = POLLIN };
	if (config->console || config->arg_count)
		main_pid = start(config);
	guest_say(GUEST_READY);
	for (;;) {
		poll(polls, count + 1, WATCH_DISKS_MS);
		for (size_t i = 0; i < count; i++) {
			if (!(polls[i].revents & POLLIN) || !power_pressed(polls[i].fd))
				continue;
			guest_say("power button: stopping");
			guest_power_off(ENTRYPOINT_GRACE);
		}
		while (read(signals, &info, sizeof(info)) > 0)
			;
		main_pid = reap(config, main_pid);
		guest_disks_grow(config);
	}
}
