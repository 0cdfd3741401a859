/* Bridging stdin and stdout to the agent's socket, for use at the far end of ssh. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/agent.h"
#include "node/wire.h"

/* One chunk; false when that direction ended. */
static bool copy(int from, int to)
{
	char chunk[65536];
	ssize_t n = read(from, chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && zp_write_all(to, chunk, (size_t)n, NULL) == 0;
}

int node_agent_dial(const char *root, const char *tenant, struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(root ? root : "/var/lib/zplan", "agent.sock");

	if (tenant)
		return zp_error_set(err, "-tenant: this agent does not keep tenants apart");
	zp_autoclose int fd = node_wire_unix(path, err);
	if (fd < 0)
		return -1;
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { fd, POLLIN, 0 } };
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return zp_error_errno(err, "poll");
		if (fds[0].revents && !copy(STDIN_FILENO, fd)) {
			/* What was asked is still answered. */
			shutdown(fd, SHUT_WR);
			fds[0].fd = -1;
		}
		if (fds[1].revents && !copy(fd, STDOUT_FILENO))
			return 0;
	}
}
