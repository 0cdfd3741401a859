/*
 * What the controller says while it runs: a JSON document a line on standard error. Texts are cleaned of
 * the configuration's secrets.
 */
#ifndef SYNC_LOG_H
#define SYNC_LOG_H

#include "base/log.h"
#include "sync/config.h"

/* Replaces every secret of the configuration (NULL: none) by "(secret)". */
void sync_redact(const struct sync_config *config, struct zp_buf *text);
/* stack may be NULL, run 0. */
void sync_log(enum zp_log_level level, const struct sync_config *config, const char *stack, int64_t run,
	const char *fmt, ...) ZP_PRINTF(5, 6);

#endif
