/*
 * How a client reaches an agent: a pair of descriptors, and the process behind them when there is one.
 */
#ifndef NODE_WIRE_H
#define NODE_WIRE_H

#include <sys/types.h>

#include "base/error.h"
#include "node/client.h"

struct node_wire {
	int in, out; /* read from, write to; may be the same socket */
	pid_t pid;   /* of ssh, or 0 */
	int said;    /* what ssh says on stderr is kept here; -1 when there is no ssh */
};

/* As the entry of the inventory says. 0, or -1 with err that says how it was tried. */
int node_wire_open(struct node_wire *wire, const struct node_entry *entry, struct zp_error *err);
/* The end of what ssh had to say, heap; NULL when it said nothing. */
char *node_wire_said(const struct node_wire *wire);
/* Ends both directions, so that readers wake up. */
void node_wire_shutdown(struct node_wire *wire);
void node_wire_close(struct node_wire *wire);
/* A connected UNIX socket, or -1. */
int node_wire_unix(const char *path, struct zp_error *err);

#endif
