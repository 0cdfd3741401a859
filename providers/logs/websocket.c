/*
 * Lines as text messages of a WebSocket (RFC 6455). A ping follows them; its answer says that the
 * other side has read them, as it reads in order.
 */
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/logs/target.h"

#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define HEADER_MAX ((size_t)16 * 1024)
#define PAYLOAD_MAX ((uint64_t)64 * 1024)

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* A client's frames are masked. */
static void put_frame(struct zp_buf *out, enum opcode opcode, struct zp_str payload)
{
	unsigned char head[14] = { (unsigned char)(0x80 | opcode) };
	size_t len = 2, mask;

	if (payload.len < 126) {
		head[1] = (unsigned char)payload.len;
	} else if (payload.len < 65536) {
		head[1] = 126;
		head[len++] = (unsigned char)(payload.len >> 8);
		head[len++] = (unsigned char)payload.len;
	} else {
		head[1] = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			head[len++] = (unsigned char)((uint64_t)payload.len >> shift);
	}
	head[1] |= 0x80;
	mask = len;
	randombytes_buf(head + mask, 4);
	zp_buf_add(out, (const char *)head, mask + 4);
	size_t start = out->len;
	zp_buf_add(out, payload.ptr, payload.len);
	for (size_t i = 0; i < payload.len; i++)
		out->ptr[start + i] ^= (char)head[mask + i % 4];
}

/* Length of the character that begins here, 0 when there is none: text messages are UTF-8. */
static size_t character(const unsigned char *at, size_t left)
{
	size_t len = at[0] < 0x80		     ? 1
		     : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
		     : (at[0] & 0xf0) == 0xe0	     ? 3
		     : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
						     : 0;

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogates, beyond the last one. */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
		(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90))
		return 0;
	return len;
}

/* The line as text; what is none in it becomes U+FFFD. */
static void put_text(struct zp_buf *out, struct zp_str line)
{
	size_t i = 0;

	while (i < line.len) {
		size_t len = character((const unsigned char *)line.ptr + i, line.len - i);

		if (len)
			zp_buf_add(out, line.ptr + i, len);
		else
			zp_buf_puts(out, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
}

/* ---- greeting ---- */

/* The answer to a key: base 64 of its SHA-1 with a constant behind it. */
static void expected_answer(const char *key, char out[32])
{
	zp_autofree char *text = zp_format("%s" MAGIC, key);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
}

static void put_credentials(const struct provider_log_output *output, struct zp_buf *out)
{
	if (!output->user && !output->password)
		return;
	zp_autofree char *text = zp_format("%s:%s", output->user ? output->user : "",
		output->password ? output->password : "");
	size_t len = strlen(text), size = sodium_base64_encoded_len(len, 1);
	zp_autofree char *encoded = zp_calloc(1, size);

	sodium_bin2base64(encoded, size, (unsigned char *)text, len, 1);
	zp_buf_printf(out, "Authorization: Basic %s\r\n", encoded);
	explicit_bzero(text, len);
	explicit_bzero(encoded, size);
}

static void put_request(
	const struct provider_log_output *output, const char *key, struct zp_buf *out)
{
	bool v6 = strchr(output->host, ':') != NULL;

	zp_buf_printf(out,
		"GET %s%s HTTP/1.1\r\n"
		"Host: %s%s%s:%d\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\n",
		output->path[0] == '/' ? "" : "/", output->path, v6 ? "[" : "", output->host,
		v6 ? "]" : "", output->port, key);
	put_credentials(output, out);
	zp_buf_puts(out, "\r\n");
}

static int check_answer(const char *head, size_t len, const char *key, struct zp_error *err)
{
	zp_autofree char *text = zp_strndup(head, len);
	char expected[32];

	if (strncmp(text, "HTTP/1.1 101", 12) != 0)
		return zp_error_set(err, "the server says: %.*s",
			(int)strcspn(text, "\r\n") > 80 ? 80 : (int)strcspn(text, "\r\n"), text);
	expected_answer(key, expected);
	const char *accept = strcasestr(text, "\nSec-WebSocket-Accept:");
	if (accept)
		accept += strlen("\nSec-WebSocket-Accept:");
	if (accept)
		accept += strspn(accept, " \t");
	if (!accept || strncmp(accept, expected, strlen(expected)) != 0)
		return zp_error_set(err, "the answer is not a WebSocket server's");
	return 0;
}

static int greet(struct log_target *target, struct zp_error *err)
{
	struct log_wire *wire = &target->wire;
	zp_autobuf request = ZP_BUF_INIT;
	unsigned char random[16];
	char key[32];
	const char *end;

	randombytes_buf(random, sizeof(random));
	EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
	put_request(target->output, key, &request);
	int rc = log_wire_write(wire, zp_buf_slice(&request), err);
	explicit_bzero(request.ptr, request.len);
	if (rc < 0)
		return -1;
	while (!(end = wire->in.len ? memmem(wire->in.ptr, wire->in.len, "\r\n\r\n", 4) : NULL)) {
		if (wire->in.len > HEADER_MAX)
			return zp_error_set(err, "the answer is not a WebSocket server's");
		if (log_wire_read(wire, err) < 0)
			return -1;
	}
	size_t len = (size_t)(end - wire->in.ptr) + 4;
	if (check_answer(wire->in.ptr, len, key, err) < 0)
		return -1;
	log_wire_used(wire, len);
	return 0;
}

/* ---- frames of the other side ---- */

struct frame {
	enum opcode opcode;
	struct zp_str payload; /* in wire.in */
	size_t size;	       /* with its head */
};

/* 1: a whole one; 0: not yet; -1. */
static int parse_frame(const struct log_wire *wire, struct frame *frame, struct zp_error *err)
{
	const unsigned char *in = (const unsigned char *)wire->in.ptr;
	size_t have = wire->in.len, head = 2;
	uint64_t len;

	if (have < 2)
		return 0;
	len = in[1] & 0x7f;
	if (in[1] & 0x80)
		return zp_error_set(err, "the server sends what only clients may");
	if (len >= 126) {
		size_t bytes = len == 126 ? 2 : 8;

		head += bytes;
		if (have < head)
			return 0;
		len = 0;
		for (size_t i = 0; i < bytes; i++)
			len = len << 8 | in[2 + i];
	}
	if (len > PAYLOAD_MAX)
		return zp_error_set(err, "the server sends a message that is too long");
	if (have < head + len)
		return 0;
	*frame = (struct frame){ (enum opcode)(in[0] & 0x0f),
		zp_strn(wire->in.ptr + head, (size_t)len), head + (size_t)len };
	return 1;
}

/* The number in the answer to a ping of ours, else 0. */
static uint64_t pong_number(const struct frame *frame)
{
	uint64_t number = 0;

	if (frame->opcode != PONG || frame->payload.len != sizeof(number))
		return 0;
	memcpy(&number, frame->payload.ptr, sizeof(number));
	return number;
}

/* Takes all whole frames; *confirmed becomes the last number that came back. */
static int take_frames(struct log_target *target, uint64_t *confirmed, struct zp_error *err)
{
	struct log_wire *wire = &target->wire;
	struct frame frame = { 0 };
	int rc;

	while ((rc = parse_frame(wire, &frame, err)) > 0) {
		uint64_t number = pong_number(&frame);

		if (frame.opcode == CLOSE)
			return zp_error_set(err, "the server closes the connection");
		if (frame.opcode == PING) {
			zp_autobuf pong = ZP_BUF_INIT;

			put_frame(&pong, PONG, frame.payload);
			if (log_wire_write(wire, zp_buf_slice(&pong), err) < 0)
				return -1;
		}
		if (number)
			*confirmed = number;
		log_wire_used(wire, frame.size);
	}
	return rc;
}

static int deliver(
	struct log_target *target, const struct zp_str *lines, size_t count, struct zp_error *err)
{
	zp_autobuf frames = ZP_BUF_INIT, text = ZP_BUF_INIT;
	uint64_t number = ++target->asked, confirmed = 0;

	for (size_t i = 0; i < count; i++) {
		zp_buf_clear(&text);
		put_text(&text, lines[i]);
		put_frame(&frames, TEXT, zp_buf_slice(&text));
	}
	put_frame(&frames, PING, zp_strn((const char *)&number, sizeof(number)));
	if (log_wire_write(&target->wire, zp_buf_slice(&frames), err) < 0)
		return -1;
	while (confirmed != number)
		if (log_wire_read(&target->wire, err) < 0 ||
			take_frames(target, &confirmed, err) < 0)
			return -1;
	return 0;
}

static int listen_unasked(struct log_target *target, struct zp_error *err)
{
	uint64_t confirmed = 0;

	return take_frames(target, &confirmed, err);
}

const struct log_protocol log_websocket = { greet, deliver, listen_unasked };
