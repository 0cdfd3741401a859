/*
 * Commands of zplan as processes of their own: what becomes of the controller does not become of them.
 */
#ifndef SYNC_CHILD_H
#define SYNC_CHILD_H

#include "sync/config.h"

struct sync_child {
	const char *const *argv;
	const char *directory;
	const char *log_path; /* both outputs; 0600, replaced */
	char *const *environment;
	int timeout_ms; /* 0: none. When it passes the child is interrupted, and ended if that does not help */
	int stop_fd;	/* readable: the child is interrupted, so that it finishes what is in flight and saves */
	/* Told who the child is, as sync_child_end wants it. May be NULL. */
	void (*started)(void *data, const char *identity);
	void *data;
};

#define SYNC_CHILD_STOPPED (-2) /* stop_fd was readable */

/* The exit status (128 + signal), SYNC_CHILD_STOPPED, or -1 with err. */
int sync_child_run(const struct sync_child *child, struct zp_error *err);
/*
 * Ends a child that outlived its controller: interrupts it, waits until it is done, and after patience_ms
 * kills it. Does nothing when that process is gone.
 */
void sync_child_end(const char *identity, int patience_ms);
/*
 * The environment of commands: this process's, without what the configuration took secrets from and
 * without what changes what the commands mean. Heap array and texts, NULL-terminated.
 */
char **sync_child_environment(const struct sync_config *config, const char *data_dir);
void sync_texts_free(char **texts);

#endif
