#include "sync/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"

#define LAST_PATIENCE_MS 60000 /* from being interrupted to being killed */

extern char **environ;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int spawn(const struct sync_child *child, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	/* Its own group: a signal from the terminal is the controller's to pass on. */
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, child->log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (child->directory)
		posix_spawn_file_actions_addchdir_np(&actions, child->directory);
	int rc = posix_spawnp(pid, child->argv[0], &actions, &attributes, (char *const *)child->argv,
		child->environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

/* "pid:start time", which no other process will have. False when there is no such process. */
static bool identity_of(pid_t pid, char *out, size_t size)
{
	zp_autofree char *path = zp_format("/proc/%d/stat", (int)pid);
	zp_autobuf text = ZP_BUF_INIT;

	if (zp_file_read(path, 4096, &text, NULL) < 0)
		return false;
	/* The name in parentheses may hold anything; fields are counted after it. */
	char *save = NULL, *close = strrchr(text.ptr, ')');
	char *field = close ? strtok_r(close + 1, " ", &save) : NULL;
	for (int i = 3; field && i < 22; i++)
		field = strtok_r(NULL, " ", &save);
	if (!field)
		return false;
	snprintf(out, size, "%d:%s", (int)pid, field);
	return true;
}

static int exit_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Waits until the process is over. True when it had to be asked to end by stop_fd. */
static bool wait_for(const struct sync_child *child, int pidfd, pid_t pid, bool *late)
{
	int64_t deadline = child->timeout_ms ? now_ms() + child->timeout_ms : 0;
	bool stopped = false, asked = false;

	for (;;) {
		struct pollfd fds[] = { { pidfd, POLLIN, 0 }, { asked ? -1 : child->stop_fd, POLLIN, 0 } };
		int64_t left = deadline ? deadline - now_ms() : -1;
		int rc = poll(fds, 2, deadline && left < 0 ? 0 : (int)left);
		if (rc < 0 && errno != EINTR)
			return stopped;
		if (fds[0].revents && rc > 0)
			return stopped;
		bool over = deadline && now_ms() >= deadline;
		if (asked && over) {
			kill(-pid, SIGKILL);
			deadline = 0;
		} else if (!asked && (over || (rc > 0 && fds[1].revents))) {
			stopped = !over;
			*late = over;
			asked = true;
			kill(pid, SIGINT);
			deadline = now_ms() + LAST_PATIENCE_MS;
		}
	}
}

int sync_child_run(const struct sync_child *child, struct zp_error *err)
{
	struct pollfd stop = { child->stop_fd, POLLIN, 0 };
	bool late = false;
	char identity[64];
	pid_t pid;

	if (poll(&stop, 1, 0) > 0)
		return SYNC_CHILD_STOPPED;
	int rc = spawn(child, &pid);
	if (rc) {
		errno = rc;
		return zp_error_errno(err, "start %s", child->argv[0]);
	}
	zp_autoclose int pidfd = pidfd_open(pid, 0);
	if (child->started && identity_of(pid, identity, sizeof(identity)))
		child->started(child->data, identity);
	bool stopped = pidfd >= 0 && wait_for(child, pidfd, pid, &late);
	int status = exit_status(pid);
	if (late)
		return zp_error_set(err, "%s %s: not done after %d s", child->argv[0], child->argv[1],
			child->timeout_ms / 1000);
	/* It may have come to its end all the same. */
	return stopped && status != 0 ? SYNC_CHILD_STOPPED : status;
}

void sync_child_end(const char *identity, int patience_ms)
{
	pid_t pid = (pid_t)strtol(identity, NULL, 10);
	int64_t deadline = now_ms() + patience_ms;
	char there[64];

	if (pid <= 1)
		return;
	zp_autoclose int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0 || !identity_of(pid, there, sizeof(there)) || strcmp(there, identity) != 0)
		return;
	pidfd_send_signal(pidfd, SIGINT, NULL, 0);
	for (;;) {
		struct pollfd fd = { pidfd, POLLIN, 0 };
		int64_t left = deadline - now_ms();
		int rc = poll(&fd, 1, left < 0 ? 0 : (int)left);
		if (rc > 0)
			return;
		if (rc == 0)
			break;
	}
	kill(-pid, SIGKILL);
	struct pollfd fd = { pidfd, POLLIN, 0 };
	poll(&fd, 1, 10000);
}

static bool is_kept(const struct sync_config *config, const char *entry)
{
	static const char *const dropped[] = { "TF_CLI_ARGS", "TF_WORKSPACE=", "TF_DATA_DIR=",
		"TF_IN_AUTOMATION=", "NO_COLOR=", "TF_INPUT=" };
	size_t length = strcspn(entry, "=");

	for (size_t i = 0; i < ZP_ARRAY_SIZE(dropped); i++)
		if (strncmp(entry, dropped[i], strlen(dropped[i])) == 0)
			return false;
	for (size_t i = 0; i < config->secret_name_count; i++)
		if (zp_str_is(zp_strn(entry, length), config->secret_names[i]))
			return false;
	return true;
}

char **sync_child_environment(const struct sync_config *config, const char *data_dir)
{
	ZP_VEC(, char *) texts = { 0 };

	for (char **entry = environ; *entry; entry++)
		if (is_kept(config, *entry))
			zp_vec_push(&texts, zp_strdup(*entry));
	zp_vec_push(&texts, zp_format("TF_DATA_DIR=%s", data_dir));
	zp_vec_push(&texts, zp_strdup("TF_IN_AUTOMATION=1"));
	zp_vec_push(&texts, zp_strdup("TF_INPUT=0"));
	zp_vec_push(&texts, zp_strdup("NO_COLOR=1"));
	zp_vec_push(&texts, NULL);
	return texts.items;
}

void sync_texts_free(char **texts)
{
	for (char **text = texts; text && *text; text++)
		free(*text);
	free(texts);
}
