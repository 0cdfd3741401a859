/* Bridging stdin and stdout to the agent's socket, for use at the far end of ssh. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/file.h"
#include "node/agent.h"
#include "node/wire.h"

#define MAX_ANSWER 65536

/* One chunk; false when that direction ended. */
static bool copy(int from, int to)
{
	char chunk[65536];
	ssize_t n = read(from, chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && zp_write_all(to, chunk, (size_t)n, NULL) == 0;
}

/* Says whose connection it is, and waits until the agent has taken note. */
static int introduce(int fd, const char *tenant, struct zp_error *err)
{
	cJSON *hello = cJSON_CreateObject();
	cJSON *params = cJSON_AddObjectToObject(hello, "params");
	zp_autobuf answer = ZP_BUF_INIT;
	char c;

	cJSON_AddStringToObject(hello, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(hello, "id", 0);
	cJSON_AddStringToObject(hello, "method", "session.tenant");
	cJSON_AddStringToObject(params, "tenant", tenant);
	zp_autofree char *text = cJSON_PrintUnformatted(hello);
	zp_autofree char *line = zp_format("%s\n", text);
	cJSON_Delete(hello);
	if (zp_write_all(fd, line, strlen(line), err) < 0)
		return -1;
	while (answer.len < MAX_ANSWER && read(fd, &c, 1) == 1 && c != '\n')
		zp_buf_char(&answer, c);
	cJSON *reply = cJSON_ParseWithLength(answer.ptr ? answer.ptr : "", answer.len);
	bool taken = cJSON_HasObjectItem(reply, "result");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");
	const char *why =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
	if (!taken)
		zp_error_set(err, "tenant %s: %s", tenant, why ? why : "the agent did not answer");
	cJSON_Delete(reply);
	return taken ? 0 : -1;
}

int node_agent_dial(const char *root, const char *tenant, struct zp_error *err)
{
	zp_autofree char *path = zp_path_join(root ? root : "/var/lib/zplan", "agent.sock");

	zp_autoclose int fd = node_wire_unix(path, err);
	if (fd < 0 || (tenant && introduce(fd, tenant, err) < 0))
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
