/*
 * A connection to where logs go, plain or with TLS, out of a network namespace. Reading and writing
 * wait, until the time is up or somebody wants them to stop.
 */
#ifndef PROVIDERS_LOGS_WIRE_H
#define PROVIDERS_LOGS_WIRE_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "providers/logs/output.h"

struct log_wire {
	void *curl;
	int fd, stop;	  /* stop: readable when there is to be an end; -1: never */
	struct zp_buf in; /* read, and not used yet */
};

/* netns: name of a network namespace, NULL for the one we are in. */
int log_wire_open(struct log_wire *wire, const struct provider_log_output *output,
	const char *netns, int stop, struct zp_error *err);
void log_wire_close(struct log_wire *wire);
int log_wire_write(struct log_wire *wire, struct zp_str bytes, struct zp_error *err);
/* Adds to in, at least one byte. */
int log_wire_read(struct log_wire *wire, struct zp_error *err);
/* Whatever is there by now, which may be nothing. */
int log_wire_peek(struct log_wire *wire, struct zp_error *err);
/* Takes the first bytes off in. */
void log_wire_used(struct log_wire *wire, size_t count);

#endif
