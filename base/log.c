#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"

static const char *const level_names[] = {
	[ZP_LOG_TRACE] = "TRACE",
	[ZP_LOG_DEBUG] = "DEBUG",
	[ZP_LOG_INFO] = "INFO",
	[ZP_LOG_WARN] = "WARN",
	[ZP_LOG_ERROR] = "ERROR",
	[ZP_LOG_OFF] = "OFF",
};

static enum zp_log_level threshold = ZP_LOG_OFF;
static int output = STDERR_FILENO;

void zp_log_init_from_environment(void)
{
	const char *level = getenv("TF_LOG");
	if (!level || !*level)
		return;
	threshold = ZP_LOG_TRACE; /* as the peer: an unknown name means everything */
	for (size_t i = 0; i < ZP_ARRAY_SIZE(level_names); i++)
		if (strcasecmp(level, level_names[i]) == 0)
			threshold = (enum zp_log_level)i;

	const char *path = getenv("TF_LOG_PATH");
	if (path && *path) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd >= 0)
			output = fd;
	}
}

void zp_log_set_level(enum zp_log_level level)
{
	threshold = level;
}

bool zp_log_enabled(enum zp_log_level level)
{
	return level >= threshold && threshold != ZP_LOG_OFF;
}

void zp_log(enum zp_log_level level, const char *fmt, ...)
{
	if (!zp_log_enabled(level))
		return;

	zp_autobuf line = ZP_BUF_INIT;
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	zp_buf_printf(&line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ [%s] ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		now.tv_nsec / 1000000, level_names[level]);
	va_list ap;
	va_start(ap, fmt);
	zp_buf_vprintf(&line, fmt, ap);
	va_end(ap);
	zp_buf_char(&line, '\n');
	/* One write per line keeps lines of several threads and processes whole. */
	if (write(output, line.ptr, line.len) < 0)
		return;
}
