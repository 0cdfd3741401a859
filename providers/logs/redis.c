/* Lines as messages of a redis channel: PUBLISH, whose reply says that the server has it. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/logs/target.h"

/* Words as the server takes them: count and lengths first, so that they may hold anything. */
static void put_command(struct zp_buf *out, const struct zp_str *words, size_t count)
{
	zp_buf_printf(out, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++) {
		zp_buf_printf(out, "$%zu\r\n", words[i].len);
		zp_buf_add(out, words[i].ptr, words[i].len);
		zp_buf_puts(out, "\r\n");
	}
}

/* Waits for one reply, which is a line in all that is asked here; an error is the server's word. */
static int take_reply(struct log_target *target, struct zp_error *err)
{
	struct log_wire *wire = &target->wire;
	const char *end;
	int rc = 0;

	while (!(end = wire->in.len ? memchr(wire->in.ptr, '\n', wire->in.len) : NULL))
		if (log_wire_read(wire, err) < 0)
			return -1;
	if (wire->in.ptr[0] == '-') {
		int len = (int)(end - wire->in.ptr) - 1;

		rc = zp_error_set(err, "the server says: %.*s",
			len > 1 && wire->in.ptr[len] == '\r' ? len - 1 : len, wire->in.ptr + 1);
	} else if (wire->in.ptr[0] != ':' && wire->in.ptr[0] != '+') {
		rc = zp_error_set(err, "the answer is not a redis server's");
	}
	log_wire_used(wire, (size_t)(end - wire->in.ptr) + 1);
	return rc;
}

static int greet(struct log_target *target, struct zp_error *err)
{
	const struct provider_log_output *output = target->output;
	struct zp_str words[3] = { zp_str("AUTH") };
	zp_autobuf command = ZP_BUF_INIT;
	size_t count = 1;
	int rc;

	if (!output->password) {
		words[0] = zp_str("PING");
	} else {
		if (output->user)
			words[count++] = zp_str(output->user);
		words[count++] = zp_str(output->password);
	}
	put_command(&command, words, count);
	rc = log_wire_write(&target->wire, zp_buf_slice(&command), err);
	explicit_bzero(command.ptr, command.len);
	return rc < 0 ? -1 : take_reply(target, err);
}

static struct zp_str channel_of(const struct log_target *target)
{
	const char *path = target->output->path;

	return zp_str(path[0] == '/' && path[1] ? path + 1 : target->channel);
}

static int deliver(
	struct log_target *target, const struct zp_str *lines, size_t count, struct zp_error *err)
{
	zp_autobuf commands = ZP_BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		struct zp_str words[] = { zp_str("PUBLISH"), channel_of(target), lines[i] };

		put_command(&commands, words, ZP_ARRAY_SIZE(words));
	}
	if (log_wire_write(&target->wire, zp_buf_slice(&commands), err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (take_reply(target, err) < 0)
			return -1;
	return 0;
}

static int nothing_expected(struct log_target *target, struct zp_error *err)
{
	return target->wire.in.len ? take_reply(target, err) : 0;
}

const struct log_protocol log_redis = { greet, deliver, nothing_expected };
