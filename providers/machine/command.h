/*
 * A command line as people write it, cut into words. No shell is involved: quotes and backslashes
 * group characters as a POSIX shell's do, and nothing else has a meaning ($, *, ;, > are plain
 * text).
 */
#ifndef PROVIDER_MACHINE_COMMAND_H
#define PROVIDER_MACHINE_COMMAND_H

#include "base/arena.h"
#include "base/error.h"

#define PROVIDER_COMMAND_MAX_WORDS 512

/* Words go into the arena, ended by NULL. -1 with err: an open quote, or too many words. */
int provider_command_split(struct zp_arena *arena, const char *text, char ***words, size_t *count,
	struct zp_error *err);

#endif
