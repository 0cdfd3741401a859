#include "node/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

#define MAX_OPTIONS 32

static void add_option(const char **argv, size_t *count, const char *option)
{
	argv[(*count)++] = "-o";
	argv[(*count)++] = option;
}

/* Options that hold for every node, and those its entry asks for. texts: two that argv refers to. */
static size_t ssh_options(const char **argv, const struct node_entry *entry, char *texts[2])
{
	size_t n = 0;

	argv[n++] = "ssh";
	argv[n++] = "-T";
	add_option(argv, &n, "BatchMode=yes");
	add_option(argv, &n, "ConnectTimeout=10");
	add_option(argv, &n, "ServerAliveInterval=15");
	add_option(argv, &n, "ServerAliveCountMax=4");
	if (entry->known_hosts) {
		texts[0] = zp_format("UserKnownHostsFile=%s", entry->known_hosts);
		add_option(argv, &n, texts[0]);
		add_option(argv, &n, "GlobalKnownHostsFile=/dev/null");
		add_option(argv, &n, "StrictHostKeyChecking=yes");
	}
	if (entry->identity_file) {
		texts[1] = zp_format("IdentityFile=%s", entry->identity_file);
		add_option(argv, &n, texts[1]);
		add_option(argv, &n, "IdentitiesOnly=yes");
	}
	return n;
}

static int spawn_ssh(struct node_wire *wire, const char **argv, struct zp_error *err)
{
	posix_spawn_file_actions_t actions;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return zp_error_errno(err, "socketpair");
	wire->said = memfd_create("ssh", MFD_CLOEXEC);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 1);
	if (wire->said >= 0)
		posix_spawn_file_actions_adddup2(&actions, wire->said, 2);
	int rc = posix_spawnp(&wire->pid, "ssh", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	wire->in = wire->out = pair[0];
	if (!rc)
		return 0;
	wire->pid = 0;
	node_wire_close(wire);
	errno = rc;
	return zp_error_errno(err, "start ssh");
}

/* user@host and port of ssh://user@host:port. */
static int open_ssh(struct node_wire *wire, const struct node_entry *entry, struct zp_error *err)
{
	const char *target = entry->connect + strlen("ssh://");
	const char *colon = strrchr(target, ':');
	zp_autofree char *host =
		colon ? zp_strndup(target, (size_t)(colon - target)) : zp_strdup(target);
	const char *argv[MAX_OPTIONS];
	char *texts[2] = { NULL, NULL };

	if (host[0] == '-')
		return zp_error_set(err, "ssh://%s: a host name can not begin with a dash", target);
	size_t n = ssh_options(argv, entry, texts);
	if (colon) {
		argv[n++] = "-p";
		argv[n++] = colon + 1;
	}
	argv[n++] = "--";
	argv[n++] = host;
	argv[n++] = "zplan agent dial";
	argv[n] = NULL;
	int rc = spawn_ssh(wire, argv, err);
	free(texts[0]);
	free(texts[1]);
	return rc;
}

char *node_wire_said(const struct node_wire *wire)
{
	char text[1024];
	off_t size = wire->said >= 0 ? lseek(wire->said, 0, SEEK_END) : 0;
	off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
	ssize_t n = size > 0 ? pread(wire->said, text, sizeof(text), from) : 0;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n <= 0)
		return NULL;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\r' || text[i] == '\n')
			text[i] = ' ';
	return zp_strndup(text, (size_t)n);
}

int node_wire_open(struct node_wire *wire, const struct node_entry *entry, struct zp_error *err)
{
	const char *connect = entry->connect;

	*wire = (struct node_wire){ .in = -1, .out = -1, .said = -1 };
	if (strncmp(connect, "unix://", 7) == 0)
		return open_unix(wire, connect + 7, err);
	if (strncmp(connect, "ssh://", 6) == 0)
		return open_ssh(wire, entry, err);
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
	if (wire->said >= 0)
		close(wire->said);
	*wire = (struct node_wire){ .in = -1, .out = -1, .said = -1 };
}
