/*
 * How a client reaches an agent: a pair of descriptors, and the process behind them when there is one.
 */
#ifndef NODE_WIRE_H
#define NODE_WIRE_H

#include <sys/types.h>

#include "base/error.h"

struct node_wire {
	int in, out; /* read from, write to; may be the same socket */
	pid_t pid;   /* of ssh, or 0 */
};

/* connect: as in the inventory. 0, or -1 with err that says how it was tried. */
int node_wire_open(struct node_wire *wire, const char *connect, struct zp_error *err);
/* Ends both directions, so that readers wake up. */
void node_wire_shutdown(struct node_wire *wire);
void node_wire_close(struct node_wire *wire);
/* A connected UNIX socket, or -1. */
int node_wire_unix(const char *path, struct zp_error *err);

#endif
