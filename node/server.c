#include "node/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/vec.h"

#define WORKERS 16
#define MAX_CONNECTIONS 512
#define MAX_QUEUED 8192
#define THREAD_STACK ((size_t)1 << 20)
#define WORKER_STACK ((size_t)8 << 20)
/* A peer that does not read its answers for so long is cut off. */
#define SEND_TIMEOUT_SECONDS 20
/* What a connection may have under way, and in answers not yet read, before more is read from it. */
#define MAX_OUTSTANDING 256
#define MAX_OUTPUT ((size_t)1 << 20)

/*
 * Its own thread reads from it, and writes what can not be written at once: workers never wait for a peer.
 */
struct connection {
	struct node_server *server;
	int fd, wake;	 /* wake: an eventfd, told when there is output or an answer was given */
	int references;	 /* under server->lock */
	int outstanding; /* requests not yet answered; under server->lock */
	struct node_session session;
	pthread_mutex_t write_lock;
	struct zp_buf output; /* under write_lock, as what follows */
	size_t sent;	      /* of output */
	time_t moved;	      /* when some of it could be sent last */
	bool dead;
};

struct request {
	struct connection *connection;
	cJSON *message;
	struct request *next;
};

struct node_server {
	int fd;
	char *path;
	node_handler handler;
	void *data;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* queue grew, shrank, or the server stops */
	struct request *first, **last;
	size_t queued;
	bool stopping;
	pthread_t acceptor, workers[WORKERS];
	int worker_count;
	struct connection *connections[MAX_CONNECTIONS];
	int connection_count;
};

static void connection_release(struct connection *connection)
{
	struct node_server *server = connection->server;

	pthread_mutex_lock(&server->lock);
	bool last = --connection->references == 0;
	if (last) {
		if (connection->session.share)
			connection->session.share->connections--;
		for (int i = 0; i < server->connection_count; i++)
			if (server->connections[i] == connection)
				server->connections[i] =
					server->connections[--server->connection_count];
		pthread_cond_broadcast(&server->wake);
	}
	pthread_mutex_unlock(&server->lock);
	if (!last)
		return;
	close(connection->fd);
	close(connection->wake);
	zp_buf_release(&connection->output);
	pthread_mutex_destroy(&connection->write_lock);
	free(connection);
}

static void wake(struct connection *connection)
{
	uint64_t one = 1;

	if (write(connection->wake, &one, sizeof(one)) < 0)
		zp_log(ZP_LOG_DEBUG, "eventfd: %s", strerror(errno));
}

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under write_lock: sends what goes without waiting. */
static void flush(struct connection *connection)
{
	struct zp_buf *output = &connection->output;

	while (!connection->dead && connection->sent < output->len) {
		ssize_t n = send(connection->fd, output->ptr + connection->sent,
			output->len - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		connection->dead = n <= 0;
		connection->sent += n > 0 ? (size_t)n : 0;
		connection->moved = seconds_now();
	}
	zp_buf_clear(output);
	connection->sent = 0;
}

static void send_message(struct connection *connection, cJSON *message)
{
	zp_autofree char *text = cJSON_PrintUnformatted(message);
	zp_autobuf line = ZP_BUF_INIT;

	zp_buf_puts(&line, text ? text : "{}");
	zp_buf_char(&line, '\n');
	pthread_mutex_lock(&connection->write_lock);
	bool idle = !connection->output.len;
	if (!connection->dead)
		zp_buf_add(&connection->output, line.ptr, line.len);
	if (idle) {
		connection->moved = seconds_now();
		flush(connection);
	}
	pthread_mutex_unlock(&connection->write_lock);
	wake(connection);
}

static cJSON *reply_to(const cJSON *id)
{
	cJSON *reply = cJSON_CreateObject();

	cJSON_AddStringToObject(reply, "jsonrpc", "2.0");
	cJSON_AddItemToObject(reply, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
	return reply;
}

static void send_error(struct connection *connection, const cJSON *id, int code, const char *text)
{
	cJSON *reply = reply_to(id);
	cJSON *error = cJSON_AddObjectToObject(reply, "error");

	cJSON_AddNumberToObject(error, "code", code);
	cJSON_AddStringToObject(error, "message", text);
	send_message(connection, reply);
	cJSON_Delete(reply);
}

static bool is_dead(struct connection *connection)
{
	pthread_mutex_lock(&connection->write_lock);
	bool dead = connection->dead;
	pthread_mutex_unlock(&connection->write_lock);
	return dead;
}

static void answer(struct node_server *server, struct request *request)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(request->message, "id");
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(request->message, "params");
	const char *method = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(request->message, "method"));
	zp_autoerror err = ZP_ERROR_INIT;
	cJSON *result = server->handler(server->data, &request->connection->session, method,
		params, &err);

	if (!result) {
		send_error(request->connection, id, err.code ? err.code : NODE_RPC_INTERNAL,
			zp_error_text(&err));
		return;
	}
	cJSON *reply = reply_to(id);
	cJSON_AddItemToObject(reply, "result", result);
	send_message(request->connection, reply);
	cJSON_Delete(reply);
}

/* The first request whose share has a worker left; NULL when there is none. */
static struct request *take_request(struct node_server *server)
{
	for (struct request **at = &server->first; *at; at = &(*at)->next) {
		struct request *request = *at;
		struct node_share *share = request->connection->session.share;
		if (share && share->running >= NODE_SHARE_RUNNING)
			continue;
		*at = request->next;
		if (!request->next)
			server->last = at;
		server->queued--;
		if (share) {
			share->queued--;
			share->running++;
		}
		return request;
	}
	return NULL;
}

static void *work(void *data)
{
	struct node_server *server = data;

	pthread_mutex_lock(&server->lock);
	for (;;) {
		struct request *request = take_request(server);
		if (!request && server->stopping && !server->first)
			break;
		if (!request) {
			pthread_cond_wait(&server->wake, &server->lock);
			continue;
		}
		pthread_cond_broadcast(&server->wake);
		pthread_mutex_unlock(&server->lock);
		struct node_share *share = request->connection->session.share;
		/* Nobody waits for what a lost connection asked for. */
		if (!is_dead(request->connection))
			answer(server, request);
		cJSON_Delete(request->message);
		pthread_mutex_lock(&server->lock);
		request->connection->outstanding--;
		pthread_mutex_unlock(&server->lock);
		wake(request->connection);
		connection_release(request->connection);
		free(request);
		pthread_mutex_lock(&server->lock);
		if (share)
			share->running--;
		pthread_cond_broadcast(&server->wake);
	}
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

static bool is_full(const struct node_server *server, const struct node_share *share)
{
	return server->queued >= MAX_QUEUED || (share && share->queued >= NODE_SHARE_QUEUED);
}

/* Waits while the queue is full: who sends too much is not read meanwhile. */
static void enqueue(struct connection *connection, cJSON *message)
{
	struct node_server *server = connection->server;
	struct node_share *share = connection->session.share;
	struct request *request = zp_calloc(1, sizeof(*request));

	request->connection = connection;
	request->message = message;
	pthread_mutex_lock(&server->lock);
	while (is_full(server, share) && !server->stopping)
		pthread_cond_wait(&server->wake, &server->lock);
	if (share)
		share->queued++;
	connection->references++;
	connection->outstanding++;
	*server->last = request;
	server->last = &request->next;
	server->queued++;
	pthread_cond_broadcast(&server->wake);
	pthread_mutex_unlock(&server->lock);
}

/* Answers at once: what is read next depends on it. */
static void introduce(struct connection *connection, cJSON *message)
{
	struct node_server *server = connection->server;
	struct request request = { .connection = connection, .message = message };
	bool introduced = connection->session.share;

	answer(server, &request);
	cJSON_Delete(message);
	struct node_share *share = connection->session.share;
	if (introduced || !share)
		return;
	pthread_mutex_lock(&server->lock);
	bool crowded = ++share->connections > NODE_SHARE_CONNECTIONS;
	pthread_mutex_unlock(&server->lock);
	if (crowded)
		shutdown(connection->fd, SHUT_RDWR);
}

/* Takes the message over. */
static void take_message(struct connection *connection, cJSON *message)
{
	const cJSON *method = cJSON_GetObjectItemCaseSensitive(message, "method");
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(message, "jsonrpc");
	if (!cJSON_IsObject(message) || !cJSON_IsString(method) || !cJSON_IsString(version) ||
		strcmp(version->valuestring, "2.0") != 0) {
		send_error(connection, cJSON_GetObjectItemCaseSensitive(message, "id"),
			NODE_RPC_REQUEST, "the message is no JSON-RPC 2.0 request");
		cJSON_Delete(message);
		return;
	}
	if (strncmp(method->valuestring, "session.", 8) == 0)
		introduce(connection, message);
	else
		enqueue(connection, message);
}

static void take_line(struct connection *connection, const char *line, size_t length)
{
	/* Nesting is bounded by cJSON (CJSON_NESTING_LIMIT). */
	cJSON *message = cJSON_ParseWithLength(line, length);

	if (!message)
		send_error(connection, NULL, NODE_RPC_PARSE, "the message is not JSON");
	else if (!cJSON_IsArray(message) || !message->child)
		take_message(connection, message);
	else
		while (message->child)
			take_message(connection, cJSON_DetachItemViaPointer(message, message->child));
	if (cJSON_IsArray(message))
		cJSON_Delete(message);
}

static bool has_room(struct connection *connection)
{
	pthread_mutex_lock(&connection->server->lock);
	bool room = connection->outstanding < MAX_OUTSTANDING;
	pthread_mutex_unlock(&connection->server->lock);
	pthread_mutex_lock(&connection->write_lock);
	room = room && connection->output.len - connection->sent < MAX_OUTPUT;
	pthread_mutex_unlock(&connection->write_lock);
	return room;
}

/*
 * Lines out of what has come, as long as there is room for more; what exceeds the limit is skipped to its
 * end and answered once.
 */
static void take_input(struct connection *connection, struct zp_buf *input, bool *skipping)
{
	size_t start = 0;
	const char *newline;

	while (has_room(connection) &&
		(newline = memchr(input->ptr + start, '\n', input->len - start))) {
		size_t length = (size_t)(newline - input->ptr) - start;
		if (!*skipping && length)
			take_line(connection, input->ptr + start, length);
		*skipping = false;
		start += length + 1;
	}
	memmove(input->ptr, input->ptr + start, input->len - start);
	input->len -= start;
	if (input->len > NODE_MAX_MESSAGE && !memchr(input->ptr, '\n', input->len)) {
		if (!*skipping)
			send_error(connection, NULL, NODE_RPC_REQUEST, "the message is too long");
		*skipping = true;
		zp_buf_clear(input);
	}
}

/* Whether there is more to send; cuts off who has not taken anything for long. */
static bool send_rest(struct connection *connection)
{
	pthread_mutex_lock(&connection->write_lock);
	flush(connection);
	bool pending = connection->output.len > connection->sent;
	if (pending && seconds_now() - connection->moved > SEND_TIMEOUT_SECONDS) {
		connection->dead = true;
		pending = false;
		zp_buf_clear(&connection->output);
		connection->sent = 0;
	}
	pthread_mutex_unlock(&connection->write_lock);
	return pending;
}

/* Waits for something to do; false when the peer is gone altogether. */
static bool wait_for_peer(struct connection *connection, bool reads, bool writes)
{
	struct pollfd fds[] = {
		{ connection->fd, (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0 },
		{ connection->wake, POLLIN, 0 },
	};
	uint64_t count;

	if (poll(fds, 2, writes ? 1000 : -1) < 0 && errno != EINTR)
		return false;
	if (fds[1].revents && read(connection->wake, &count, sizeof(count)) < 0)
		zp_log(ZP_LOG_DEBUG, "eventfd: %s", strerror(errno));
	return !(fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) || (fds[0].revents & POLLIN);
}

/* What is there to be read; false at the end. */
static bool receive(struct connection *connection, struct zp_buf *input)
{
	zp_buf_reserve(input, 65536);
	ssize_t n = recv(connection->fd, input->ptr + input->len, 65536, MSG_DONTWAIT);

	if (n > 0)
		input->len += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
}

static bool is_idle(struct connection *connection)
{
	pthread_mutex_lock(&connection->server->lock);
	bool idle = !connection->outstanding;
	pthread_mutex_unlock(&connection->server->lock);
	return idle;
}

static void *serve_connection(void *data)
{
	struct connection *connection = data;
	zp_autobuf input = ZP_BUF_INIT;
	bool skipping = false, ended = false, gone = false;

	while (!gone) {
		/* Before the output: what is answered in between wakes the next wait. */
		bool idle = ended && is_idle(connection) && !input.len;
		bool pending = send_rest(connection);
		if (is_dead(connection) || (idle && !pending))
			break;
		bool reads = !ended && has_room(connection);
		gone = !wait_for_peer(connection, reads, pending);
		if (reads && !gone)
			ended = !receive(connection, &input);
		if (input.len)
			take_input(connection, &input, &skipping);
		/* A line without its end is none. */
		if (ended && !memchr(input.ptr ? input.ptr : "", '\n', input.len))
			zp_buf_clear(&input);
	}
	pthread_mutex_lock(&connection->write_lock);
	connection->dead = true;
	pthread_mutex_unlock(&connection->write_lock);
	shutdown(connection->fd, SHUT_RDWR);
	connection_release(connection);
	return NULL;
}

static bool start_thread(pthread_t *thread, size_t stack, void *(*fn)(void *), void *data)
{
	pthread_attr_t attributes;
	pthread_t own;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack);
	if (!thread)
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int failed = pthread_create(thread ? thread : &own, &attributes, fn, data);
	pthread_attr_destroy(&attributes);
	return !failed;
}

static void add_connection(struct node_server *server, int fd)
{
	struct connection *connection = NULL;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	pthread_mutex_lock(&server->lock);
	if (event >= 0 && server->connection_count < MAX_CONNECTIONS && !server->stopping) {
		connection = zp_calloc(1, sizeof(*connection));
		connection->server = server;
		connection->fd = fd;
		connection->wake = event;
		connection->references = 1;
		pthread_mutex_init(&connection->write_lock, NULL);
		server->connections[server->connection_count++] = connection;
	}
	pthread_mutex_unlock(&server->lock);
	if (!connection) {
		close(fd);
		close(event);
	} else if (!start_thread(NULL, THREAD_STACK, serve_connection, connection)) {
		connection_release(connection);
	}
}

static void *accept_connections(void *data)
{
	struct node_server *server = data;

	for (;;) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			add_connection(server, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			zp_log(ZP_LOG_WARN, "accept: %s", strerror(errno));
			poll(NULL, 0, 100);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return NULL; /* the socket was shut down */
		}
	}
}

static int listen_at(const char *path, struct zp_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length >= sizeof(address.sun_path))
		return zp_error_set(err, "socket path %s is longer than %zu bytes: choose a shorter "
			"root folder", path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return zp_error_errno(err, "socket");
	unlink(path);
	mode_t mask = umask(0177);
	int rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc < 0 || listen(fd, 256) < 0) {
		zp_error_errno(err, "listen at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

struct node_server *node_server_start(const char *path, node_handler handler, void *data,
	struct zp_error *err)
{
	int fd = listen_at(path, err);
	if (fd < 0)
		return NULL;

	struct node_server *server = zp_calloc(1, sizeof(*server));
	server->fd = fd;
	server->path = zp_strdup(path);
	server->handler = handler;
	server->data = data;
	server->last = &server->first;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->wake, NULL);
	while (server->worker_count < WORKERS &&
		start_thread(&server->workers[server->worker_count], WORKER_STACK, work, server))
		server->worker_count++;
	if (!server->worker_count ||
		!start_thread(&server->acceptor, THREAD_STACK, accept_connections, server)) {
		zp_error_set(err, "can not start threads");
		server->acceptor = 0;
		node_server_stop(server);
		return NULL;
	}
	return server;
}

void node_server_stop(struct node_server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	if (server->acceptor)
		pthread_join(server->acceptor, NULL);
	close(server->fd);
	unlink(server->path);
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_cond_broadcast(&server->wake);
	pthread_mutex_unlock(&server->lock);
	for (int i = 0; i < server->worker_count; i++)
		pthread_join(server->workers[i], NULL);
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < server->connection_count; i++)
		shutdown(server->connections[i]->fd, SHUT_RDWR);
	while (server->connection_count)
		pthread_cond_wait(&server->wake, &server->lock);
	pthread_mutex_unlock(&server->lock);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->wake);
	free(server->path);
	free(server);
}
