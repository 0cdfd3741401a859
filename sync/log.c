#include "sync/log.h"

#include <sys/time.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

static void replace_all(struct zp_buf *text, const char *secret)
{
	size_t length = strlen(secret);
	zp_autobuf out = ZP_BUF_INIT;
	const char *at = text->ptr, *found;

	while (at && length && (found = memmem(at, text->len - (size_t)(at - text->ptr), secret, length))) {
		zp_buf_add(&out, at, (size_t)(found - at));
		zp_buf_puts(&out, "(secret)");
		at = found + length;
	}
	if (!out.len)
		return;
	zp_buf_add(&out, at, text->len - (size_t)(at - text->ptr));
	zp_buf_clear(text);
	zp_buf_str(text, zp_buf_slice(&out));
}

void sync_redact(const struct sync_config *config, struct zp_buf *text)
{
	for (size_t i = 0; config && i < config->secret_count; i++)
		replace_all(text, config->secrets[i]);
}

static void add_time(struct zp_json_writer *writer)
{
	struct timeval now;
	struct tm tm;
	char stamp[32], whole[64];

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%03ldZ", stamp, (long)now.tv_usec / 1000);
	zp_json_key(writer, "time");
	zp_json_cstr(writer, whole);
}

void sync_log(enum zp_log_level level, const struct sync_config *config, const char *stack, int64_t run,
	const char *fmt, ...)
{
	static const char *const names[] = { "trace", "debug", "info", "warn", "error" };
	zp_autobuf line = ZP_BUF_INIT, message = ZP_BUF_INIT;
	struct zp_json_writer writer;
	va_list ap;

	va_start(ap, fmt);
	zp_buf_vprintf(&message, fmt, ap);
	va_end(ap);
	sync_redact(config, &message);
	zp_json_writer_init(&writer, &line, false);
	zp_json_begin_object(&writer);
	add_time(&writer);
	zp_json_key(&writer, "level");
	zp_json_cstr(&writer, names[level]);
	if (stack) {
		zp_json_key(&writer, "stack");
		zp_json_cstr(&writer, stack);
	}
	if (run) {
		zp_json_key(&writer, "run");
		zp_json_int(&writer, run);
	}
	zp_json_key(&writer, "message");
	zp_json_string(&writer, zp_buf_slice(&message));
	zp_json_end_object(&writer);
	zp_buf_char(&line, '\n');
	zp_write_all(STDERR_FILENO, line.ptr, line.len, NULL);
}
