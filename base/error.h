/*
 * Errors of everything that touches the world. A function returns 0 or a negative number and fills a
 * trailing struct zp_error; callers on the way up put what they were doing in front:
 *
 *	if (read_registry(path, err) < 0)
 *		return zp_error_wrap(err, "starting node %s", name);   "starting node a: open /x: ..."
 *
 * Zero-initialised holds no error. The text never contains secrets.
 */
#ifndef ZP_BASE_ERROR_H
#define ZP_BASE_ERROR_H

#include "base/cleanup.h"

struct zp_error {
	char *message; /* heap; NULL when there is no error */
	int code;      /* errno, or a caller's own number, or 0 */
};

#define ZP_ERROR_INIT { NULL, 0 }

/* Each replaces what was there and returns -1. err may be NULL. */
int zp_error_set(struct zp_error *err, const char *fmt, ...) ZP_PRINTF(2, 3);
int zp_error_code(struct zp_error *err, int code, const char *fmt, ...) ZP_PRINTF(3, 4);
/* Appends ": " and strerror(errno), and keeps errno as the code. */
int zp_error_errno(struct zp_error *err, const char *fmt, ...) ZP_PRINTF(2, 3);
/* Puts "text: " in front of the message. */
int zp_error_wrap(struct zp_error *err, const char *fmt, ...) ZP_PRINTF(2, 3);
const char *zp_error_text(const struct zp_error *err);
void zp_error_clear(struct zp_error *err);

#define zp_autoerror zp_cleanup(zp_error_clear) struct zp_error

#endif
