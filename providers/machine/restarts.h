/*
 * How often machines were started again after they died: at most 4 times in 2 minutes, then they
 * are given up until somebody ensures them again. Kept in memory, by a key; safe for any number of
 * threads.
 */
#ifndef PROVIDER_MACHINE_RESTARTS_H
#define PROVIDER_MACHINE_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

#define PROVIDER_RESTARTS 4
#define PROVIDER_RESTART_SECONDS 120

/* Whether it may be started (and counts it), given a clock's seconds. Once given up, never. */
bool provider_restart_take(const char *key, int64_t now);
bool provider_restart_is_given_up(const char *key);
void provider_restart_forget(const char *key);

#endif
