#include "node/process_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* State letter and start time of /proc/PID/stat (proc(5)); false when there is no such process. */
static bool read_stat(pid_t pid, char *state, uint64_t *started)
{
	char path[64], line[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	zp_autofclose FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return false;
	/* The name in brackets may hold anything, blanks and brackets too. */
	const char *p = strrchr(line, ')');
	if (!p || !p[1])
		return false;
	return sscanf(p + 2,
		       "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		       "%" SCNu64, state, started) == 2;
}

struct node_process_id node_process_identify(pid_t pid)
{
	struct node_process_id process = { .pid = pid };
	char state;

	if (!read_stat(pid, &state, &process.started))
		process.started = 0;
	return process;
}

bool node_process_alive(struct node_process_id process)
{
	uint64_t started;
	char state;

	if (process.pid <= 1 || !read_stat(process.pid, &state, &started))
		return false;
	return started == process.started && state != 'Z' && state != 'X';
}
