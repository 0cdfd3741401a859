/*
 * A server of Terraform's http protocol for tests: states and locks by path, in memory, basic
 * authentication. A thread per connection.
 */
#ifndef TESTS_STATE_HTTP_SERVER_H
#define TESTS_STATE_HTTP_SERVER_H

#include "tests/state/folder.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#define HTTP_SLOTS 16

struct http_slot {
	char path[64];
	char *state, *lock; /* heap, or NULL */
};

struct http_server {
	int fd, port;
	pthread_t thread;
	pthread_mutex_t mutex;
	char expected[128]; /* the Authorization header's value */
	struct http_slot slots[HTTP_SLOTS];
	int failures; /* so many requests are answered by 500 */
	bool corrupt; /* bodies do not fit their digests */
	size_t open_connections;
	bool stopping;
};

struct http_request {
	char method[16], path[256], authorization[128], content_md5[64];
	size_t length;
	char *body;
};

struct http_connection {
	struct http_server *server;
	int fd;
};

/* The head without its end, then the body. False at the end of the connection. */
static inline bool http_read(int fd, struct http_request *request)
{
	zp_autobuf head = ZP_BUF_INIT;
	char c;

	*request = (struct http_request){ .length = 0 };
	while (head.len < 65536 &&
		!(head.len >= 4 && memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0)) {
		if (read(fd, &c, 1) != 1)
			return false;
		zp_buf_char(&head, c);
	}
	if (sscanf(head.ptr, "%15s %255s", request->method, request->path) != 2)
		return false;
	for (char *line = strstr(head.ptr, "\r\n"); line && line[2];
		line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, "content-length:", 15) == 0)
			request->length = strtoul(line + 17, NULL, 10);
		if (strncasecmp(line + 2, "authorization: ", 15) == 0)
			sscanf(line + 17, "%127[^\r]", request->authorization);
		if (strncasecmp(line + 2, "content-md5: ", 13) == 0)
			sscanf(line + 15, "%63[^\r]", request->content_md5);
	}
	request->body = zp_calloc(1, request->length + 1);
	for (size_t got = 0; got < request->length;) {
		ssize_t n = read(fd, request->body + got, request->length - got);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static inline struct http_slot *http_slot_of(struct http_server *server, const char *path)
{
	size_t length = strcspn(path, "?");

	for (size_t i = 0; i < HTTP_SLOTS; i++) {
		struct http_slot *slot = &server->slots[i];
		if (!*slot->path)
			snprintf(slot->path, sizeof(slot->path), "%.*s", (int)length, path);
		if (strlen(slot->path) == length && strncmp(slot->path, path, length) == 0)
			return slot;
	}
	abort();
}

static inline void http_digest(const char *text, char out[64])
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned length;

	EVP_Digest(text, strlen(text), md5, &length, EVP_md5(), NULL);
	EVP_EncodeBlock((unsigned char *)out, md5, 16);
}

/* The id inside a lock info document. */
static inline bool http_same_lock(const char *a, const char *b)
{
	const char *x = strstr(a, "\"ID\":\""), *y = strstr(b, "\"ID\":\"");

	return x && y && strncmp(x, y, 6 + 36) == 0;
}

static inline void http_set(char **field, const char *text)
{
	free(*field);
	*field = text ? zp_strdup(text) : NULL;
}

/* The status; *answer is what is sent along. */
static inline int http_handle(struct http_server *server, const struct http_request *request,
	struct http_slot *slot, const char **answer)
{
	char md5[64];

	if (strcmp(request->authorization, server->expected) != 0)
		return 401;
	if (server->failures > 0) {
		server->failures--;
		return 500;
	}
	if (request->length) {
		http_digest(request->body, md5);
		if (strcmp(md5, request->content_md5) != 0)
			return 400;
	}
	if (strcmp(request->method, "GET") == 0) {
		*answer = slot->state;
		return slot->state ? 200 : 404;
	}
	if (strcmp(request->method, "LOCK") == 0) {
		*answer = slot->lock;
		if (slot->lock)
			return 423;
		http_set(&slot->lock, request->body);
		return 200;
	}
	if (strcmp(request->method, "UNLOCK") == 0) {
		if (!slot->lock || !http_same_lock(slot->lock, request->body))
			return 409;
		http_set(&slot->lock, NULL);
		return 200;
	}
	if (strcmp(request->method, "POST") != 0)
		return 405;
	/* Who does not hold the lock does not write. */
	const char *id = strstr(request->path, "ID=");
	if (slot->lock && (!id || !strstr(slot->lock, id + 3)))
		return 423;
	http_set(&slot->state, request->body);
	return 200;
}

static inline void *http_serve(void *data)
{
	struct http_connection *connection = data;
	struct http_server *server = connection->server;
	struct http_request request;

	while (http_read(connection->fd, &request)) {
		zp_autobuf out = ZP_BUF_INIT;
		const char *answer = NULL;
		char md5[64];
		pthread_mutex_lock(&server->mutex);
		int status =
			http_handle(server, &request, http_slot_of(server, request.path), &answer);
		if (!answer)
			answer = "";
		http_digest(server->corrupt ? "another" : answer, md5);
		zp_buf_printf(&out,
			"HTTP/1.1 %d x\r\nContent-Length: %zu\r\nContent-MD5: %s\r\n\r\n%s", status,
			strlen(answer), md5, answer);
		pthread_mutex_unlock(&server->mutex);
		if (send(connection->fd, out.ptr, out.len, MSG_NOSIGNAL) < 0) {
			free(request.body);
			request.body = NULL;
			break;
		}
		free(request.body);
		request.body = NULL;
	}
	free(request.body);
	close(connection->fd);
	pthread_mutex_lock(&server->mutex);
	server->open_connections--;
	pthread_mutex_unlock(&server->mutex);
	free(connection);
	return NULL;
}

static inline void *http_accept(void *data)
{
	struct http_server *server = data;

	for (;;) {
		int fd = accept(server->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		struct http_connection *connection = zp_calloc(1, sizeof(*connection));
		pthread_t thread;
		*connection = (struct http_connection){ server, fd };
		pthread_mutex_lock(&server->mutex);
		server->open_connections++;
		pthread_mutex_unlock(&server->mutex);
		if (pthread_create(&thread, NULL, http_serve, connection) != 0)
			abort();
		pthread_detach(thread);
	}
}

static inline void http_server_start(
	struct http_server *server, const char *user, const char *password)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	char pair[64], encoded[96];

	*server = (struct http_server){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	pthread_mutex_init(&server->mutex, NULL);
	snprintf(pair, sizeof(pair), "%s:%s", user, password);
	EVP_EncodeBlock((unsigned char *)encoded, (unsigned char *)pair, (int)strlen(pair));
	snprintf(server->expected, sizeof(server->expected), "Basic %s", encoded);
	if (bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(server->fd, 256) < 0 ||
		getsockname(server->fd, (struct sockaddr *)&address, &length) < 0)
		abort();
	server->port = ntohs(address.sin_port);
	if (pthread_create(&server->thread, NULL, http_accept, server) != 0)
		abort();
}

static inline void http_server_stop(struct http_server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&server->mutex);
		size_t left = server->open_connections;
		pthread_mutex_unlock(&server->mutex);
		if (!left)
			break;
		usleep(10000);
	}
	for (size_t i = 0; i < HTTP_SLOTS; i++) {
		free(server->slots[i].state);
		free(server->slots[i].lock);
	}
}

#endif
