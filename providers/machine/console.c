#include "providers/machine/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "providers/machine/guest/format.h"

#define TAIL 8192

/* The end of the file, but nothing of its first `from` bytes. */
static size_t read_tail(const char *log, off_t from, char text[TAIL + 1])
{
	zp_autoclose int fd = open(log, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	off_t start = size - from > TAIL ? size - TAIL : from;
	ssize_t len = size > start ? pread(fd, text, TAIL, start) : 0;

	len = len > 0 ? len : 0;
	text[len] = '\0';
	return (size_t)len;
}

int64_t provider_console_size(const char *log)
{
	struct stat st;

	return stat(log, &st) == 0 ? (int64_t)st.st_size : 0;
}

bool provider_console_is_ready(const char *log, int64_t from)
{
	static const char ready[] = GUEST_SAYS GUEST_READY;
	char text[TAIL + 1];
	size_t len = read_tail(log, from, text);

	return memmem(text, len, ready, strlen(ready)) != NULL;
}

void provider_console_last_words(const char *log, struct zp_buf *out)
{
	static const char says[] = GUEST_SAYS;
	char text[TAIL + 1];
	size_t len = read_tail(log, 0, text);
	const char *last = NULL;

	for (const char *p = text; (p = memmem(p, len - (size_t)(p - text), says, strlen(says)));
		p++)
		last = p + strlen(says);
	if (!last || strncmp(last, GUEST_READY, strlen(GUEST_READY)) == 0)
		return;
	for (; *last && *last != '\n' && *last != '\r'; last++)
		zp_buf_char(out, *last < ' ' ? '?' : *last);
}

/* All of it, also what is written meanwhile. */
static int copy_all(int to, int from, struct zp_error *err)
{
	struct stat st;
	off_t at = 0;

	while (fstat(from, &st) == 0 && at < st.st_size)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return zp_error_errno(err, "copying a console log");
	return 0;
}

int provider_console_rotate(const char *log, int64_t max, struct zp_error *err)
{
	zp_autofree char *old = zp_format("%s.1", log);
	zp_autofree char *fresh = zp_format("%s.new", old);
	zp_autoclose int from = open(log, O_RDWR | O_CLOEXEC);
	zp_autoclose int to = -1;
	struct stat st;

	if (from < 0)
		return errno == ENOENT ? 0 : zp_error_errno(err, "opening %s", log);
	if (fstat(from, &st) != 0 || st.st_size <= max)
		return 0;
	to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return zp_error_errno(err, "opening %s", fresh);
	if (copy_all(to, from, err) < 0)
		return -1;
	if (ftruncate(from, 0) != 0)
		return zp_error_errno(err, "emptying %s", log);
	/* Last: who reads along knows by it that the log begins anew. */
	return rename(fresh, old) == 0 ? 0 : zp_error_errno(err, "renaming %s", fresh);
}
