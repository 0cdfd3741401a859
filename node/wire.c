#include "node/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"

extern char **environ;

#define LOCAL_ROOT "/var/lib/zplan"

int node_wire_unix(const char *path, struct zp_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length >= sizeof(address.sun_path))
		return zp_error_set(err, "socket path %s is too long", path);
	memcpy(address.sun_path, path, length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return zp_error_errno(err, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		zp_error_errno(err, "no agent answers at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int open_unix(struct node_wire *wire, const char *path, struct zp_error *err)
{
	wire->in = wire->out = node_wire_unix(path, err);
	return wire->in < 0 ? -1 : 0;
}

/* An agent of this machine: the one that runs, or one started now. */
static int open_local(struct node_wire *wire, struct zp_error *err)
{
	static const char socket_path[] = LOCAL_ROOT "/agent.sock";
	const char *argv[] = { "/proc/self/exe", "agent", "serve", NULL };

	if (open_unix(wire, socket_path, NULL) == 0)
		return 0;
	if (zp_mkdirs(LOCAL_ROOT, 0700, err) < 0 ||
		zp_spawn_daemon(argv, "/", LOCAL_ROOT "/agent.log", err) < 0)
		return -1;
	for (int i = 0; i < 100; i++) {
		if (open_unix(wire, socket_path, err) == 0)
			return 0;
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	}
	return zp_error_wrap(err, "the local agent did not start; see " LOCAL_ROOT "/agent.log");
}

/* user@host and port of ssh://user@host:port. */
static int open_ssh(struct node_wire *wire, const char *target, struct zp_error *err)
{
	const char *colon = strrchr(target, ':');
	zp_autofree char *host =
		colon ? zp_strndup(target, (size_t)(colon - target)) : zp_strdup(target);
	const char *argv[16] = { "ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o",
		"ServerAliveInterval=15", "-o", "ServerAliveCountMax=4" };
	int pair[2];
	size_t n = 10;

	if (host[0] == '-')
		return zp_error_set(err, "ssh://%s: a host name can not begin with a dash", target);
	if (colon) {
		argv[n++] = "-p";
		argv[n++] = colon + 1;
	}
	argv[n++] = "--";
	argv[n++] = host;
	argv[n++] = "zplan agent dial";
	argv[n] = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return zp_error_errno(err, "socketpair");
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 1);
	int rc = posix_spawnp(&wire->pid, "ssh", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	wire->in = wire->out = pair[0];
	if (!rc)
		return 0;
	close(pair[0]);
	wire->pid = 0;
	errno = rc;
	return zp_error_errno(err, "start ssh");
}

int node_wire_open(struct node_wire *wire, const char *connect, struct zp_error *err)
{
	*wire = (struct node_wire){ .in = -1, .out = -1 };
	if (strncmp(connect, "unix://", 7) == 0)
		return open_unix(wire, connect + 7, err);
	if (strncmp(connect, "ssh://", 6) == 0)
		return open_ssh(wire, connect + 6, err);
	if (strcmp(connect, "local") == 0)
		return open_local(wire, err);
	return zp_error_set(err, "connect = \"%s\": use ssh://user@host, unix:///path or local", connect);
}

void node_wire_shutdown(struct node_wire *wire)
{
	if (wire->in >= 0)
		shutdown(wire->in, SHUT_RDWR);
}

void node_wire_close(struct node_wire *wire)
{
	if (wire->in >= 0)
		close(wire->in);
	if (wire->pid > 0) {
		kill(wire->pid, SIGTERM);
		waitpid(wire->pid, NULL, 0);
	}
	*wire = (struct node_wire){ .in = -1, .out = -1 };
}
