/*
 * A WebSocket server for tests: one connection at a time, whose text messages it keeps in order. It
 * can be told to break the connection after some messages without having confirmed them.
 */
#ifndef TESTS_PROVIDERS_LOG_SERVER_H
#define TESTS_PROVIDERS_LOG_SERVER_H

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"

struct log_server {
	int fd, port;
	atomic_bool stop;
	atomic_int break_after; /* messages; 0: never */
	atomic_int connections;
	pthread_t thread;
	pthread_mutex_t lock;
	ZP_VEC(, char *) messages;
	char request[4096]; /* of the last connection */
};

static inline bool server_wait(struct log_server *server, int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	while (!atomic_load(&server->stop))
		if (poll(&poller, 1, 20) > 0)
			return true;
	return false;
}

static inline bool server_read(struct log_server *server, int fd, void *out, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = server_wait(server, fd) ? recv(fd, (char *)out + have, len - have, 0) : 0;

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static inline bool server_greet(struct log_server *server, int fd)
{
	size_t len = 0;

	while (len < sizeof(server->request) - 1 && (len < 4 || !strstr(server->request, "\r\n\r\n"))) {
		if (!server_read(server, fd, server->request + len, 1))
			return false;
		server->request[++len] = '\0';
	}
	char *key = strstr(server->request, "Sec-WebSocket-Key: ");
	if (!key)
		return false;
	key += strlen("Sec-WebSocket-Key: ");
	zp_autofree char *text = zp_format("%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		(int)strcspn(key, "\r"), key);
	unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
	unsigned int size;
	EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
	EVP_EncodeBlock(accept, digest, (int)size);
	zp_autofree char *reply = zp_format("HTTP/1.1 101 Switching Protocols\r\n"
					    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
					    "sec-websocket-accept: %s\r\n\r\n",
		accept);
	return send(fd, reply, strlen(reply), MSG_NOSIGNAL) > 0;
}

/* One frame; payload is heap. */
static inline bool server_frame(struct log_server *server, int fd, int *opcode, char **payload,
	size_t *len)
{
	unsigned char head[2], more[8], mask[4];

	if (!server_read(server, fd, head, 2) || !(head[1] & 0x80))
		return false;
	*opcode = head[0] & 0x0f;
	*len = head[1] & 0x7f;
	if (*len >= 126) {
		size_t bytes = *len == 126 ? 2 : 8;

		if (!server_read(server, fd, more, bytes))
			return false;
		*len = 0;
		for (size_t i = 0; i < bytes; i++)
			*len = *len << 8 | more[i];
	}
	if (!server_read(server, fd, mask, 4))
		return false;
	*payload = zp_calloc(1, *len + 1);
	if (!server_read(server, fd, *payload, *len)) {
		free(*payload);
		return false;
	}
	for (size_t i = 0; i < *len; i++)
		(*payload)[i] ^= (char)mask[i % 4];
	return true;
}

static inline void server_visit(struct log_server *server, int fd)
{
	char *payload;
	size_t len;
	int opcode, taken = 0;

	atomic_fetch_add(&server->connections, 1);
	if (!server_greet(server, fd))
		return;
	while (server_frame(server, fd, &opcode, &payload, &len)) {
		if (opcode == 1) {
			pthread_mutex_lock(&server->lock);
			zp_vec_push(&server->messages, payload);
			pthread_mutex_unlock(&server->lock);
			int limit = atomic_load(&server->break_after);
			if (limit && ++taken >= limit)
				return;
			continue;
		}
		unsigned char pong[2 + 125] = { 0x8a, (unsigned char)len };
		memcpy(pong + 2, payload, len < 125 ? len : 125);
		if (opcode == 9)
			send(fd, pong, 2 + len, MSG_NOSIGNAL);
		free(payload);
	}
}

static inline void *server_main(void *data)
{
	struct log_server *server = data;

	while (server_wait(server, server->fd)) {
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0)
			break;
		server_visit(server, fd);
		close(fd);
	}
	return NULL;
}

/* port 0: any. */
static inline int log_server_start(struct log_server *server, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t len = sizeof(address);
	int one = 1;

	atomic_store(&server->stop, false);
	pthread_mutex_init(&server->lock, NULL);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(server->fd, (struct sockaddr *)&address, len) < 0 || listen(server->fd, 4) < 0 ||
		getsockname(server->fd, (struct sockaddr *)&address, &len) < 0)
		return -1;
	server->port = ntohs(address.sin_port);
	return pthread_create(&server->thread, NULL, server_main, server);
}

/* What it was told stays. */
static inline void log_server_stop(struct log_server *server)
{
	atomic_store(&server->stop, true);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

static inline void log_server_forget(struct log_server *server)
{
	for (size_t i = 0; i < server->messages.count; i++)
		free(server->messages.items[i]);
	zp_vec_release(&server->messages);
}

static inline size_t log_server_count(struct log_server *server)
{
	pthread_mutex_lock(&server->lock);
	size_t count = server->messages.count;
	pthread_mutex_unlock(&server->lock);
	return count;
}

#endif
