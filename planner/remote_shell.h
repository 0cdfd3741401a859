/*
 * Commands and files on another machine, through the system's ssh (OpenSSH). Keys and passwords reach it as files
 * that only this user can read, in a folder that goes with the shell; never as arguments.
 *
 *	struct remote_shell *shell = remote_shell_open(&settings, said, data, &err);
 *	remote_shell_run(shell, "uptime", &options, &result, &err);
 *	remote_shell_close(shell);
 */
#ifndef PLANNER_REMOTE_SHELL_H
#define PLANNER_REMOTE_SHELL_H

#include <stdbool.h>

#include "base/process.h"

/* One end: the machine meant, or the one in between. Texts are the caller's; NULL where not given. */
struct remote_end {
	const char *host, *user; /* host NULL: there is no such end */
	int port;
	const char *password, *private_key, *certificate; /* key and certificate: their contents */
	const char *host_key; /* the host's public key, or that of an authority; NULL: any will do */
};

struct remote_settings {
	struct remote_end target, bastion;
	bool agent; /* keys of the running ssh-agent may be used */
	const char *agent_identity; /* public key of the one to use, or a file's name; NULL: any */
	int timeout_seconds; /* for the connection to come about */
};

struct remote_shell;

/*
 * Connects, trying again until the time is over; the machine may just be starting. NULL with err saying what
 * the last attempt met.
 */
struct remote_shell *remote_shell_open(const struct remote_settings *settings, struct zp_error *err);
/*
 * Runs a command line of the other machine's shell. 0 when it exited 0; else -1, result->status 255 when it was
 * ssh that failed.
 */
int remote_shell_run(struct remote_shell *shell, const char *command, const struct zp_process_options *options,
	struct zp_process_result *result, struct zp_error *err);
/* A word of that shell: in single quotes. */
void remote_shell_quote(const char *text, struct zp_buf *out);
/* Removes what was laid out for ssh, secrets wiped. NULL is fine. */
void remote_shell_close(struct remote_shell *shell);

#endif
