#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"

static int take(struct zp_error *err, int code, char *message)
{
	if (!err) {
		free(message);
		return -1;
	}
	free(err->message);
	err->message = message;
	err->code = code;
	return -1;
}

int zp_error_set(struct zp_error *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *message = zp_vformat(fmt, ap);
	va_end(ap);
	return take(err, 0, message);
}

int zp_error_code(struct zp_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *message = zp_vformat(fmt, ap);
	va_end(ap);
	return take(err, code, message);
}

int zp_error_errno(struct zp_error *err, const char *fmt, ...)
{
	int code = errno;
	va_list ap;
	va_start(ap, fmt);
	zp_autofree char *doing = zp_vformat(fmt, ap);
	va_end(ap);
	return take(err, code, zp_format("%s: %s", doing, strerror(code)));
}

int zp_error_wrap(struct zp_error *err, const char *fmt, ...)
{
	if (!err)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	zp_autofree char *doing = zp_vformat(fmt, ap);
	va_end(ap);
	return take(err, err->code,
		zp_format("%s: %s", doing, err->message ? err->message : "unknown error"));
}

const char *zp_error_text(const struct zp_error *err)
{
	return err && err->message ? err->message : "unknown error";
}

void zp_error_clear(struct zp_error *err)
{
	free(err->message);
	*err = (struct zp_error)ZP_ERROR_INIT;
}
