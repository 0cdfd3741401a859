#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"

extern char **environ;

#define DEFAULT_OUTPUT_LIMIT ((size_t)1 << 20)

struct pipes {
	int in[2], out[2], err[2];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void pipes_close(struct pipes *pipes)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&pipes->in[i]);
		close_fd(&pipes->out[i]);
		close_fd(&pipes->err[i]);
	}
}

static int pipes_open(struct pipes *pipes, bool with_input, struct zp_error *err)
{
	*pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if ((with_input && pipe2(pipes->in, O_CLOEXEC) < 0) || pipe2(pipes->out, O_CLOEXEC) < 0 ||
		pipe2(pipes->err, O_CLOEXEC) < 0) {
		zp_error_errno(err, "pipe");
		pipes_close(pipes);
		return -1;
	}
	return 0;
}

/* A child starts with the default signal dispositions and an empty mask, whatever this thread has. */
static void reset_signals(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
}

static int spawn(const char *const argv[], const struct zp_process_options *options,
	struct pipes *pipes, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	reset_signals(&attributes);
	/* Its own group, so that a timeout ends what it started as well. */
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	if (pipes->in[0] >= 0)
		posix_spawn_file_actions_adddup2(&actions, pipes->in[0], 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipes->out[1], 1);
	posix_spawn_file_actions_adddup2(
		&actions, options && options->line ? pipes->out[1] : pipes->err[1], 2);
	if (options && options->directory)
		posix_spawn_file_actions_addchdir_np(&actions, options->directory);
	char *const *env = options && options->environment ?
		(char *const *)options->environment : environ;
	int rc = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drain(int *fd, struct zp_buf *out, size_t limit)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_fd(fd);
		return;
	}
	size_t room = out->len < limit ? limit - out->len : 0;
	zp_buf_add(out, chunk, (size_t)n < room ? (size_t)n : room);
}

static void feed(int *fd, struct zp_str *input)
{
	ssize_t n = write(*fd, input->ptr, input->len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		input->ptr += n;
		input->len -= (size_t)n;
	}
	if (n <= 0 || !input->len)
		close_fd(fd);
}

/* What has come since *told, line by line; at the end also what has no newline. */
static void tell_lines(const struct zp_process_options *options, const struct zp_buf *out, size_t *told,
	bool at_end)
{
	while (options && options->line && *told < out->len) {
		const char *start = out->ptr + *told;
		const char *newline = memchr(start, '\n', out->len - *told);
		if (!newline && !at_end)
			return;
		size_t length = newline ? (size_t)(newline - start) : out->len - *told;
		*told += length + (newline != NULL);
		if (length && start[length - 1] == '\r')
			length--;
		options->line(options->data, zp_strn(start, length));
	}
}

/* Moves data until both outputs are closed. False when the deadline passed. */
static bool converse(struct pipes *pipes, const struct zp_process_options *options, size_t limit,
	int64_t deadline, struct zp_process_result *result)
{
	struct zp_str input = options ? options->input : zp_strn(NULL, 0);
	size_t told = 0;

	if (pipes->in[1] >= 0)
		fcntl(pipes->in[1], F_SETFL, O_NONBLOCK);
	while (pipes->out[0] >= 0 || pipes->err[0] >= 0) {
		struct pollfd fds[3] = {
			{ pipes->out[0], POLLIN, 0 },
			{ pipes->err[0], POLLIN, 0 },
			{ pipes->in[1], POLLOUT, 0 },
		};
		int64_t left = deadline ? deadline - now_ms() : -1;
		if (deadline && left <= 0)
			return false;
		if (poll(fds, 3, (int)left) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			drain(&pipes->out[0], &result->out, limit);
		tell_lines(options, &result->out, &told, pipes->out[0] < 0);
		if (fds[1].revents)
			drain(&pipes->err[0], &result->err, limit);
		if (fds[2].revents)
			feed(&pipes->in[1], &input);
	}
	return true;
}

/* The end of what the program said, without trailing newlines: enough to tell what went wrong. */
static struct zp_str last_words(const struct zp_buf *text)
{
	struct zp_str words = zp_buf_slice(text);

	while (words.len && (words.ptr[words.len - 1] == '\n' || words.ptr[words.len - 1] == '\r'))
		words.len--;
	if (words.len > 600) {
		words.ptr += words.len - 600;
		words.len = 600;
	}
	return words;
}

static int report(const char *program, const struct zp_process_result *result,
	struct zp_error *err)
{
	if (result->status == 0)
		return 0;
	struct zp_str words = last_words(&result->err);
	if (result->status > 128)
		return zp_error_set(err, "%s: ended by signal %d%s%.*s", program,
			result->status - 128, words.len ? ": " : "", ZP_FMT(words));
	return zp_error_set(err, "%s: exit status %d%s%.*s", program, result->status,
		words.len ? ": " : "", ZP_FMT(words));
}

static int exit_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run(const char *const argv[], const struct zp_process_options *options,
	struct zp_process_result *result, struct zp_error *err)
{
	struct pipes pipes;
	struct zp_str input = options ? options->input : zp_strn(NULL, 0);
	int timeout = options ? options->timeout_ms : 0;
	size_t limit = options && options->output_limit ? options->output_limit :
							   DEFAULT_OUTPUT_LIMIT;
	pid_t pid;

	if (pipes_open(&pipes, input.len > 0, err) < 0)
		return -1;
	int rc = spawn(argv, options, &pipes, &pid);
	if (rc) {
		pipes_close(&pipes);
		errno = rc;
		return zp_error_errno(err, "start %s", argv[0]);
	}
	close_fd(&pipes.in[0]);
	close_fd(&pipes.out[1]);
	close_fd(&pipes.err[1]);
	bool in_time = converse(&pipes, options, limit, timeout ? now_ms() + timeout : 0, result);
	if (!in_time)
		kill(-pid, SIGKILL);
	pipes_close(&pipes);
	result->status = exit_status(pid);
	if (!in_time)
		return zp_error_code(err, ETIMEDOUT, "%s: not done after %d ms", argv[0], timeout);
	return report(argv[0], result, err);
}

int zp_run(const char *const argv[], const struct zp_process_options *options,
	struct zp_process_result *result, struct zp_error *err)
{
	struct zp_process_result own = { 0 };
	int rc = run(argv, options, result ? result : &own, err);

	zp_process_result_release(&own);
	return rc;
}

void zp_process_result_release(struct zp_process_result *result)
{
	zp_buf_release(&result->out);
	zp_buf_release(&result->err);
}

pid_t zp_spawn_daemon(const char *const argv[], const char *directory, const char *log_path,
	struct zp_error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	reset_signals(&attributes);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, log_path ? log_path : "/dev/null",
		O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	/* It outlives us: what we were given to hold (a lock, a pipe) is not its to hold. */
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (directory)
		posix_spawn_file_actions_addchdir_np(&actions, directory);
	int rc = posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (rc) {
		errno = rc;
		return zp_error_errno(err, "start %s", argv[0]);
	}
	return pid;
}
