/*
 * Reading on in a machine's console log, whole lines at a time, also across its being emptied
 * (provider_console_rotate), and from where an earlier agent had come. The file is the buffer: what
 * is not delivered yet stays there, 8 MB at least.
 *
 *	provider_log_tail_open(&tail, log, state, &err);	new: from the end of the log
 *	while (provider_log_tail_next(&tail, PROVIDER_LOG_BATCH, &lines) > 0)
 *		... deliver lines ...; provider_log_tail_advance(&tail, &lines);
 *	provider_log_tail_save(&tail, &err);
 */
#ifndef PROVIDERS_LOGS_TAIL_H
#define PROVIDERS_LOGS_TAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

#define PROVIDER_LOG_BATCH 512 /* lines */
/* A longer line is cut. */
#define PROVIDER_LOG_LINE_MAX (64 * 1024)

/* What the log was before it was last emptied, <log>.1, told apart from others that were. */
struct provider_log_former {
	ino_t inode;
	int64_t changed; /* ns */
};

struct provider_log_tail {
	char *log, *former_path, *state;
	int64_t offset;			   /* of the first byte that is not delivered yet */
	bool in_former;			   /* it counts in the former log */
	struct provider_log_former former; /* the one known */
	ino_t inode;			   /* of the log as last seen; 0: there was none */
	bool is_saved;
};

struct provider_log_lines {
	struct zp_buf bytes;
	ZP_VEC(, struct zp_str) items; /* within bytes; without their ends */
	size_t consumed;	       /* bytes, of these */
	size_t former;		       /* how many of these are the end of the former log */
	bool has_former;
};

/* state: a file of this tail's own. */
int provider_log_tail_open(
	struct provider_log_tail *tail, const char *log, const char *state, struct zp_error *err);
void provider_log_tail_close(struct provider_log_tail *tail);
/* How many lines there are, up to most; 0 when there is none, or no log. */
size_t provider_log_tail_next(
	struct provider_log_tail *tail, size_t most, struct provider_log_lines *lines);
void provider_log_tail_advance(
	struct provider_log_tail *tail, const struct provider_log_lines *lines);
/* To be called every second at least: sees that the log was emptied. */
void provider_log_tail_look(struct provider_log_tail *tail);
/* Remembers the position. Nothing to do when it is remembered. */
int provider_log_tail_save(struct provider_log_tail *tail, struct zp_error *err);
void provider_log_lines_release(struct provider_log_lines *lines);

#endif
