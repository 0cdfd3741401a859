/*
 * A process by pid and start time, so that a pid the kernel gave to somebody else is not taken for it.
 */
#ifndef NODE_PROCESS_ID_H
#define NODE_PROCESS_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct node_process_id {
	pid_t pid;
	uint64_t started; /* clock ticks since boot, field 22 of /proc/PID/stat; 0: not known */
};

struct node_process_id node_process_identify(pid_t pid);
/* It runs (a zombie does not). */
bool node_process_alive(struct node_process_id process);

#endif
