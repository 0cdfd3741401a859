#include "providers/logs/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define BATCH_BYTES ((size_t)256 * 1024)
#define STATE_LIMIT 256

static int64_t size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

/* All zero when there is none. */
static struct provider_log_former look_at_former(const struct provider_log_tail *tail)
{
	struct stat info;

	if (stat(tail->former_path, &info) != 0)
		return (struct provider_log_former){ 0 };
	return (struct provider_log_former){ info.st_ino,
		(int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec };
}

static bool is_same(struct provider_log_former a, struct provider_log_former b)
{
	return a.inode == b.inode && a.changed == b.changed;
}

static bool load(struct provider_log_tail *tail)
{
	zp_autobuf text = ZP_BUF_INIT;
	uintmax_t inode;
	int in_former;

	if (zp_file_read(tail->state, STATE_LIMIT, &text, NULL) < 0 || !text.ptr)
		return false;
	if (sscanf(text.ptr, "%" SCNd64 " %d %ju %" SCNd64, &tail->offset, &in_former, &inode,
		    &tail->former.changed) != 4 ||
		tail->offset < 0)
		return false;
	tail->in_former = in_former == 1;
	tail->former.inode = (ino_t)inode;
	return true;
}

/* A file that takes the place of another has nothing of it: emptying leaves the file what it is. */
static void look_at_log(struct provider_log_tail *tail)
{
	struct stat info;

	if (stat(tail->log, &info) != 0)
		return;
	if (tail->inode && tail->inode != info.st_ino) {
		tail->offset = 0;
		tail->in_former = false;
		tail->former = look_at_former(tail);
		tail->is_saved = false;
	}
	tail->inode = info.st_ino;
}

int provider_log_tail_open(
	struct provider_log_tail *tail, const char *log, const char *state, struct zp_error *err)
{
	*tail = (struct provider_log_tail){ .log = zp_strdup(log),
		.former_path = zp_format("%s.1", log),
		.state = zp_strdup(state) };
	if (!load(tail)) {
		look_at_log(tail);
		tail->offset = size_of(log);
		tail->in_former = false;
		tail->former = look_at_former(tail);
		return provider_log_tail_save(tail, err);
	}
	provider_log_tail_look(tail);
	/* A log that is shorter than it was, and no trace of how that came. */
	if (!tail->in_former && size_of(log) < tail->offset)
		tail->offset = 0;
	return 0;
}

void provider_log_tail_close(struct provider_log_tail *tail)
{
	free(tail->log);
	free(tail->former_path);
	free(tail->state);
	*tail = (struct provider_log_tail){ 0 };
}

void provider_log_tail_look(struct provider_log_tail *tail)
{
	look_at_log(tail);
	struct provider_log_former now = look_at_former(tail);

	if (is_same(now, tail->former) || !now.inode)
		return;
	/* Emptied twice: what was left of the one before is gone. */
	if (tail->in_former)
		tail->offset = 0;
	tail->in_former = true;
	tail->former = now;
	tail->is_saved = false;
}

/* Cuts what was read into lines; what follows the last line end waits for the rest of its line. */
static void cut(struct provider_log_lines *lines, size_t most)
{
	const char *at = zp_buf_slice(&lines->bytes).ptr, *end = at + lines->bytes.len;

	while (at < end && lines->items.count < most) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop ? stop + 1 : end;
		size_t len = (size_t)((stop ? stop : end) - at);

		if (len > PROVIDER_LOG_LINE_MAX) {
			len = PROVIDER_LOG_LINE_MAX;
			next = at + len;
		} else if (!stop) {
			break;
		}
		while (len > 0 && at[len - 1] == '\r')
			len--;
		zp_vec_push(&lines->items, zp_strn(at, len));
		at = next;
	}
	lines->consumed = (size_t)(at - zp_buf_slice(&lines->bytes).ptr);
}

/* Appends what the file has from offset on; how much that is. */
static size_t read_some(const char *path, int64_t offset, struct zp_buf *out)
{
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	zp_autofree char *chunk = zp_calloc(1, BATCH_BYTES);
	ssize_t n = fd < 0 ? -1 : pread(fd, chunk, BATCH_BYTES, (off_t)offset);

	if (n <= 0)
		return 0;
	zp_buf_add(out, chunk, (size_t)n);
	return (size_t)n;
}

size_t provider_log_tail_next(
	struct provider_log_tail *tail, size_t most, struct provider_log_lines *lines)
{
	int64_t offset;

	lines->items.count = 0;
	lines->consumed = lines->former = 0;
	lines->has_former = false;
	zp_buf_clear(&lines->bytes);
	provider_log_tail_look(tail);
	offset = tail->offset;
	if (tail->in_former) {
		lines->former = read_some(tail->former_path, tail->offset, &lines->bytes);
		/* Its last line may go on in the log of now. */
		lines->has_former = lines->former < BATCH_BYTES;
		offset = 0;
	}
	if (!tail->in_former || lines->has_former)
		read_some(tail->log, offset, &lines->bytes);
	cut(lines, most);
	return lines->items.count;
}

void provider_log_tail_advance(
	struct provider_log_tail *tail, const struct provider_log_lines *lines)
{
	if (tail->in_former && lines->has_former && lines->consumed >= lines->former) {
		tail->in_former = false;
		tail->offset = (int64_t)(lines->consumed - lines->former);
	} else {
		tail->offset += (int64_t)lines->consumed;
	}
	tail->is_saved = false;
}

int provider_log_tail_save(struct provider_log_tail *tail, struct zp_error *err)
{
	zp_autofree char *text = NULL;

	if (tail->is_saved)
		return 0;
	text = zp_format("%" PRId64 " %d %ju %" PRId64 "\n", tail->offset, tail->in_former ? 1 : 0,
		(uintmax_t)tail->former.inode, tail->former.changed);
	if (zp_file_write_atomic(tail->state, zp_str(text), 0600, err) < 0)
		return -1;
	tail->is_saved = true;
	return 0;
}

void provider_log_lines_release(struct provider_log_lines *lines)
{
	zp_buf_release(&lines->bytes);
	zp_vec_release(&lines->items);
	*lines = (struct provider_log_lines){ 0 };
}
