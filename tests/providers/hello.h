/*
 * The first message of a TLS client, with a name in it, written by hand: what a gateway that passes
 * TLS on must hand to the backend byte for byte.
 */
#ifndef TESTS_PROVIDERS_HELLO_H
#define TESTS_PROVIDERS_HELLO_H

#include "tests/providers/fake_wire.h"

#define HELLO_MAX 512

struct hello {
	const char *name;
	unsigned char bytes[HELLO_MAX];
	size_t len;
	int fd; /* the connection it was sent over */
};

static inline void hello_put(struct hello *hello, const void *bytes, size_t len)
{
	memcpy(hello->bytes + hello->len, bytes, len);
	hello->len += len;
}

static inline void hello_put_number(struct hello *hello, size_t number, int bytes)
{
	while (bytes-- > 0)
		hello->bytes[hello->len++] = (unsigned char)(number >> (8 * bytes));
}

/* TLS 1.2 with two common ciphers, curve and signature. */
static inline void hello_make(struct hello *hello)
{
	static const unsigned char rest[] = { 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0,
		6, 0, 4, 4, 3, 8, 4 };
	static const unsigned char ciphers[] = { 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0 };
	size_t name = strlen(hello->name);
	size_t extensions = 9 + name + sizeof(rest);
	size_t body = 2 + 32 + 1 + sizeof(ciphers) + 2 + extensions;

	hello->len = 0;
	hello_put(hello, "\x16\x03\x01", 3);
	hello_put_number(hello, body + 4, 2);
	hello_put_number(hello, 1, 1);
	hello_put_number(hello, body, 3);
	hello_put(hello, "\x03\x03", 2);
	hello_put(hello, "0123456789abcdefghijklmnopqrstuv", 32);
	hello_put_number(hello, 0, 1);
	hello_put(hello, ciphers, sizeof(ciphers));
	hello_put_number(hello, extensions, 2);
	hello_put_number(hello, 0, 2);
	hello_put_number(hello, name + 5, 2);
	hello_put_number(hello, name + 3, 2);
	hello_put_number(hello, 0, 1);
	hello_put_number(hello, name, 2);
	hello_put(hello, hello->name, name);
	hello_put(hello, rest, sizeof(rest));
}

static inline int hello_send(void *data, struct zp_error *err)
{
	struct hello *hello = data;
	struct wire_socket client = wire_socket("192.0.2.1", 443);
	struct timeval timeout = { .tv_sec = 5 };
	int flags;

	if (wire_connect(&client, err) != 0)
		return -1;
	hello->fd = client.fd;
	flags = fcntl(hello->fd, F_GETFL);
	fcntl(hello->fd, F_SETFL, flags & ~O_NONBLOCK);
	setsockopt(hello->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return send(hello->fd, hello->bytes, hello->len, MSG_NOSIGNAL) == (ssize_t)hello->len ? 0
											      : -1;
}

/* Whether as many bytes arrive. */
static inline bool hello_receive(int fd, char *bytes, size_t len)
{
	struct timeval timeout = { .tv_sec = 2 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

#endif
