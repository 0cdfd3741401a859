/*
 * Child processes: always an argument vector, never a shell string.
 *
 *	struct zp_process_result result = { 0 };
 *	int rc = zp_run((const char *[]){ "mkfs.ext4", "-q", path, NULL }, NULL, &result, err);
 *	zp_process_result_release(&result);
 */
#ifndef ZP_BASE_PROCESS_H
#define ZP_BASE_PROCESS_H

#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"

struct zp_process_options {
	const char *const *environment; /* NULL: this process's */
	const char *directory;		/* NULL: this process's */
	struct zp_str input;		/* given on standard input; empty: /dev/null */
	int timeout_ms;			/* 0: none; the child is killed when it passes */
	size_t output_limit;		/* bytes kept of each output; 0: 1 MiB */
	/*
	 * Given every line as it comes, without its end; both outputs are then one, in the order
	 * written. May be NULL.
	 */
	void (*line)(void *data, struct zp_str line);
	void *data;
};

struct zp_process_result {
	int status;	   /* exit status, or 128 + signal */
	struct zp_buf out; /* standard output */
	struct zp_buf err; /* standard error */
};

/*
 * Runs argv[0] (looked up in PATH) to its end. 0 when it exited 0; else -1 with err saying the
 * program, the status and the last lines of its standard error. result may be NULL.
 */
int zp_run(const char *const argv[], const struct zp_process_options *options,
	struct zp_process_result *result, struct zp_error *err);
void zp_process_result_release(struct zp_process_result *result);

/*
 * Starts a long-lived child in its own session, standard input from /dev/null, output appended to
 * log_path (0600; NULL: /dev/null). Gives the pid or -1.
 */
pid_t zp_spawn_daemon(const char *const argv[], const char *directory, const char *log_path,
	struct zp_error *err);

#endif
