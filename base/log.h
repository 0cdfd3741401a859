/*
 * Logging to stderr (or TF_LOG_PATH), off unless TF_LOG names a level. Lines carry a UTC time, the
 * level and the text. No secret may be passed in.
 */
#ifndef ZP_BASE_LOG_H
#define ZP_BASE_LOG_H

#include <stdbool.h>

#include "base/cleanup.h"

enum zp_log_level { ZP_LOG_TRACE, ZP_LOG_DEBUG, ZP_LOG_INFO, ZP_LOG_WARN, ZP_LOG_ERROR, ZP_LOG_OFF };

/* Reads TF_LOG and TF_LOG_PATH. Without this call nothing is logged. */
void zp_log_init_from_environment(void);
/* For daemons: the lowest level written, to stderr. */
void zp_log_set_level(enum zp_log_level level);
bool zp_log_enabled(enum zp_log_level level);
void zp_log(enum zp_log_level level, const char *fmt, ...) ZP_PRINTF(2, 3);

#endif
