#include "providers/gateway/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"

#define REPLY_LIMIT ((size_t)4 << 20)
#define SOCKET_TIMEOUT_MS 5000
#define LOG_TAIL (64 * 1024)
#define ALERTS_SHOWN 3

char *provider_haproxy_stats_socket(const struct node_context *node)
{
	return zp_format("%s/run/haproxy.sock", node_root(node));
}

char *provider_haproxy_master_socket(const struct node_context *node)
{
	return zp_format("%s/run/haproxy-master.sock", node_root(node));
}

static int open_socket(const char *path, struct zp_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = SOCKET_TIMEOUT_MS / 1000 };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return zp_error_set(err, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return zp_error_errno(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		zp_error_errno(err, "connecting to %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends one line and reads until the other side closes. */
static int ask(const char *path, const char *command, struct zp_buf *reply, struct zp_error *err)
{
	zp_autoclose int fd = open_socket(path, err);
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return -1;
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) != (ssize_t)strlen(command))
		return zp_error_errno(err, "writing to %s", path);
	/* The master would wait for more. */
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0) {
		zp_buf_add(reply, chunk, (size_t)n);
		if (reply->len > REPLY_LIMIT)
			return zp_error_set(err, "%s: answer too long", path);
	}
	return n < 0 ? zp_error_errno(err, "reading from %s", path) : 0;
}

bool provider_haproxy_has_loaded(struct node_context *node, const char *hash)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autobuf reply = ZP_BUF_INIT;

	return node_helper_pid(node, PROVIDER_HAPROXY_HELPER) > 0 &&
	       ask(stats, "show map\n", &reply, NULL) == 0 && reply.len > 0 &&
	       strstr(reply.ptr, hash);
}

pid_t provider_haproxy_worker(struct node_context *node)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autobuf reply = ZP_BUF_INIT;
	const char *pid;

	if (node_helper_pid(node, PROVIDER_HAPROXY_HELPER) <= 0 ||
		ask(stats, "show info\n", &reply, NULL) < 0 || reply.len == 0)
		return 0;
	pid = strstr(reply.ptr, "\nPid: ");
	return pid ? (pid_t)strtol(pid + strlen("\nPid: "), NULL, 10) : 0;
}

int provider_haproxy_tell(const struct node_context *node, const char *command,
	const char *expected, struct zp_error *err)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autobuf reply = ZP_BUF_INIT;
	const char *text;
	size_t blank;

	if (ask(stats, command, &reply, err) < 0)
		return -1;
	text = zp_buf_slice(&reply).ptr;
	blank = strspn(text, " \n");
	if (expected ? strstr(text, expected) != NULL : text[blank] == '\0')
		return 0;
	/* Of the command its first two words: the rest may be a key. */
	return zp_error_set(err, "HAProxy answers %.*s with \"%.*s\"",
		(int)(strcspn(command, " \n") + 1 +
			strcspn(command + strcspn(command, " \n") + 1, " \n")),
		command, (int)strcspn(text + blank, "\n"), text + blank);
}

/* A worker of an earlier generation that ends, or has, takes no new connections. */
static bool is_leaving(const char *master, const char *pid, int digits)
{
	zp_autofree char *command = zp_format("@!%.*s show info\n", digits, pid);
	zp_autobuf reply = ZP_BUF_INIT;

	if (ask(master, command, &reply, NULL) < 0 || reply.len == 0)
		return true;
	return !strstr(reply.ptr, "Stopping: 0");
}

bool provider_haproxy_is_alone(const struct node_context *node)
{
	zp_autofree char *master = provider_haproxy_master_socket(node);
	zp_autobuf reply = ZP_BUF_INIT;
	const char *at;

	if (ask(master, "show proc\n", &reply, NULL) < 0 || reply.len == 0)
		return false;
	at = strstr(reply.ptr, "# old workers");
	while (at && (at = strchr(at, '\n')) && *++at != '#') {
		size_t digits = strspn(at, "0123456789");

		if (digits > 0 && !is_leaving(master, at, (int)digits))
			return false;
	}
	return true;
}

int provider_haproxy_reload(const struct node_context *node, struct zp_error *err)
{
	zp_autofree char *master = provider_haproxy_master_socket(node);
	zp_autobuf reply = ZP_BUF_INIT;
	zp_autoerror lost = ZP_ERROR_INIT;

	/* The master closes the connection as it restarts itself: no answer is expected. */
	if (ask(master, "reload\n", &reply, &lost) < 0 && lost.code != ECONNRESET)
		return zp_error_set(err, "reloading HAProxy: %s", zp_error_text(&lost));
	return 0;
}

/* Alerts that only say that there were others. */
static bool is_summary(struct zp_str alert)
{
	return zp_str_starts(alert, "Error(s) found in configuration") ||
	       zp_str_starts(alert, "Fatal errors found in configuration") ||
	       memmem(alert.ptr, alert.len, "Some protocols failed", 21);
}

/* "[ALERT]    (123) : config : text" -> "text" */
static struct zp_str alert_text(struct zp_str line)
{
	const char *colon = memmem(line.ptr, line.len, " : ", 3);

	if (colon)
		line = zp_strn(colon + 3, line.len - (size_t)(colon + 3 - line.ptr));
	if (zp_str_starts(line, "config : "))
		line = zp_strn(line.ptr + 9, line.len - 9);
	return line;
}

void provider_haproxy_alerts(const char *text, struct zp_buf *out)
{
	int count = 0;

	while (count < ALERTS_SHOWN && (text = strstr(text, "[ALERT]"))) {
		struct zp_str line = zp_strn(text, strcspn(text, "\n"));
		struct zp_str alert = alert_text(line);

		text += line.len;
		if (!is_summary(alert))
			zp_buf_printf(out, "%s%.*s", count++ ? "; " : ": ", ZP_FMT(alert));
	}
}

void provider_haproxy_last_alerts(const struct node_context *node, struct zp_buf *out)
{
	zp_autofree char *path =
		zp_format("%s/run/" PROVIDER_HAPROXY_HELPER ".log", node_root(node));
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	zp_autofree char *tail = zp_calloc(1, LOG_TAIL + 1);
	const char *start = tail;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	if (size <= 0 || pread(fd, tail, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0) <= 0)
		return;
	for (const char *at = tail; (at = strstr(at, "haproxy version is")); at++)
		start = at;
	provider_haproxy_alerts(start, out);
}

/* The path of the map as HAProxy knows it, from "0 (/path/host-x.map) pattern ...". */
static char *find_map(const char *reply, const char *kind)
{
	zp_autofree char *start = zp_format("/gateway/%s-", kind);
	const char *found = strstr(reply, start);
	const char *from = found;

	if (!found)
		return NULL;
	while (from > reply && from[-1] != '(')
		from--;
	return zp_strndup(from, strcspn(from, ")\n"));
}

bool provider_haproxy_serves(
	struct node_context *node, const char *fqdn, bool passthrough, struct zp_buf *message)
{
	zp_autofree char *stats = provider_haproxy_stats_socket(node);
	zp_autofree char *map = NULL, *command = NULL;
	zp_autobuf maps = ZP_BUF_INIT, reply = ZP_BUF_INIT;
	zp_autoerror problem = ZP_ERROR_INIT;

	if (node_helper_pid(node, PROVIDER_HAPROXY_HELPER) <= 0) {
		zp_buf_puts(message, "HAProxy does not run");
		return false;
	}
	if (ask(stats, "show map\n", &maps, &problem) < 0) {
		zp_buf_printf(message, "HAProxy does not answer: %s", zp_error_text(&problem));
		return false;
	}
	map = maps.len ? find_map(maps.ptr, passthrough ? "sni" : "host") : NULL;
	if (map) {
		command = zp_format("get map %s %s\n", map, fqdn);
		ask(stats, command, &reply, NULL);
	}
	if (reply.len > 0 && strstr(reply.ptr, "found=yes"))
		return true;
	zp_buf_printf(message, "HAProxy does not know %s", fqdn);
	return false;
}
