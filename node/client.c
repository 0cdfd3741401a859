#include "node/client.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "node/server.h"
#include "node/wire.h"

#define REMEMBER_FAILURE_SECONDS 1
/* Connections made for one call. */
#define ATTEMPTS 3
#define RETRY_NANOSECONDS 300000000
#define LONG_LINE ((size_t)1 << 20)

#define WAITER_SLOTS 256

struct waiter {
	int64_t id;
	cJSON *reply; /* whole message */
	bool lost;
	struct waiter *next;
};

struct node_client {
	const struct node_entry *entry;
	pthread_mutex_t connect_lock; /* one thread at a time connects; taken before lock */
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	pthread_mutex_t write_lock;
	struct node_wire wire;
	bool connected;
	pthread_t reader;
	bool has_reader;
	int64_t next_id;
	struct waiter *waiters[WAITER_SLOTS]; /* by id */
	char *failure; /* of the last attempt to connect */
	time_t failed_at;
};

struct node_pool {
	const struct node_inventory *inventory;
	struct node_client *clients; /* one per entry */
};

static void deliver(struct node_client *client, cJSON *message)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(message, "id");
	bool taken = false;

	pthread_mutex_lock(&client->lock);
	int64_t number = cJSON_IsNumber(id) ? (int64_t)id->valuedouble : 0;
	for (struct waiter *waiter = client->waiters[(uint64_t)number % WAITER_SLOTS]; waiter;
		waiter = waiter->next) {
		if (waiter->id != number || waiter->reply)
			continue;
		waiter->reply = message;
		taken = true;
		break;
	}
	pthread_cond_broadcast(&client->arrived);
	pthread_mutex_unlock(&client->lock);
	if (!taken)
		cJSON_Delete(message); /* a notification, or an answer nobody waits for any more */
}

static void lose_connection(struct node_client *client)
{
	pthread_mutex_lock(&client->lock);
	client->connected = false;
	for (size_t i = 0; i < WAITER_SLOTS; i++)
		for (struct waiter *waiter = client->waiters[i]; waiter; waiter = waiter->next)
			waiter->lost = true;
	pthread_cond_broadcast(&client->arrived);
	pthread_mutex_unlock(&client->lock);
}

static void *read_replies(void *data)
{
	struct node_client *client = data;
	zp_autobuf input = ZP_BUF_INIT;

	for (;;) {
		zp_buf_reserve(&input, 65536);
		ssize_t n = read(client->wire.in, input.ptr + input.len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		input.len += (size_t)n;
		size_t start = 0;
		const char *newline;
		while ((newline = memchr(input.ptr + start, '\n', input.len - start))) {
			size_t length = (size_t)(newline - input.ptr) - start;
			cJSON *message = cJSON_ParseWithLength(input.ptr + start, length);
			if (message)
				deliver(client, message);
			start += length + 1;
		}
		memmove(input.ptr, input.ptr + start, input.len - start);
		input.len -= start;
	}
	lose_connection(client);
	return NULL;
}

static void disconnect(struct node_client *client)
{
	if (client->has_reader) {
		node_wire_shutdown(&client->wire);
		pthread_join(client->reader, NULL);
		client->has_reader = false;
	}
	node_wire_close(&client->wire);
}

static bool is_connected(struct node_client *client)
{
	pthread_mutex_lock(&client->lock);
	bool connected = client->connected;
	pthread_mutex_unlock(&client->lock);
	return connected;
}

static int send_line(struct node_client *client, struct zp_str line)
{
	int rc = 0;

	pthread_mutex_lock(&client->write_lock);
	while (line.len && !rc) {
		ssize_t n = send(client->wire.out, line.ptr, line.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = -1;
			break;
		}
		line.ptr += n;
		line.len -= (size_t)n;
	}
	pthread_mutex_unlock(&client->write_lock);
	return rc;
}

/* Under lock. */
static void expect(struct node_client *client, struct waiter *waiter)
{
	waiter->lost = !client->connected;
	waiter->id = ++client->next_id;
	struct waiter **slot = &client->waiters[(uint64_t)waiter->id % WAITER_SLOTS];
	waiter->next = *slot;
	*slot = waiter;
}

/* Under lock. */
static void forget(struct node_client *client, struct waiter *waiter)
{
	struct waiter **p = &client->waiters[(uint64_t)waiter->id % WAITER_SLOTS];

	while (*p && *p != waiter)
		p = &(*p)->next;
	if (*p)
		*p = waiter->next;
}

static cJSON *take_result(struct node_client *client, cJSON *reply, struct zp_error *err)
{
	cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");
	cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");

	if (error || !result) {
		const char *text = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(error, "message"));
		const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
		zp_error_code(err, cJSON_IsNumber(code) ? code->valueint : NODE_RPC_INTERNAL,
			"node %s: %s", client->entry->name, text ? text : "an answer without result");
		cJSON_Delete(result);
		result = NULL;
	}
	cJSON_Delete(reply);
	return result;
}

static char *request_text(int64_t id, const char *method, const cJSON *params)
{
	cJSON *message = cJSON_CreateObject();

	cJSON_AddStringToObject(message, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(message, "id", (double)id);
	cJSON_AddStringToObject(message, "method", method);
	if (params)
		cJSON_AddItemToObject(message, "params", cJSON_Duplicate(params, true));
	char *text = cJSON_PrintUnformatted(message);
	cJSON_Delete(message);
	return text;
}

/*
 * Lines for requests that have no reply yet: one, unless it would become too long for the agent. False when
 * one could not be sent.
 */
static bool send_requests(struct node_client *client, const struct node_request *requests,
	struct waiter *const *waiters, size_t count)
{
	zp_autobuf line = ZP_BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		zp_autofree char *text =
			request_text(waiters[i]->id, requests[i].method, requests[i].params);
		zp_buf_puts(&line, line.len ? "," : count > 1 ? "[" : "");
		zp_buf_puts(&line, text);
		if (i + 1 < count && line.len < LONG_LINE)
			continue;
		zp_buf_puts(&line, count > 1 ? "]\n" : "\n");
		if (send_line(client, zp_buf_slice(&line)) < 0)
			return false;
		zp_buf_clear(&line);
	}
	return true;
}

static bool all_arrived(struct waiter *const *waiters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!waiters[i]->reply && !waiters[i]->lost)
			return false;
	return true;
}

/* Requests over the connection there is; whole replies, or NULL for those that were lost. */
static void exchange(struct node_client *client, const struct node_request *requests,
	struct waiter *const *waiters, size_t count)
{
	pthread_mutex_lock(&client->lock);
	for (size_t i = 0; i < count; i++)
		expect(client, waiters[i]);
	bool lost = waiters[0]->lost;
	pthread_mutex_unlock(&client->lock);

	bool sent = !lost && send_requests(client, requests, waiters, count);

	pthread_mutex_lock(&client->lock);
	while (sent && !all_arrived(waiters, count))
		pthread_cond_wait(&client->arrived, &client->lock);
	for (size_t i = 0; i < count; i++)
		forget(client, waiters[i]);
	pthread_mutex_unlock(&client->lock);
}

/*
 * A process that was started is no connection yet: whether ssh gets through, and an agent is there, shows
 * when something answers, be it that it knows no such method.
 */
static int greet(struct node_client *client, struct zp_error *err)
{
	const struct node_request request = { .method = "session.hello" };
	struct waiter waiter = { 0 }, *waiters[] = { &waiter };

	exchange(client, &request, waiters, 1);
	if (waiter.reply) {
		cJSON_Delete(waiter.reply);
		return 0;
	}
	zp_autofree char *said = node_wire_said(&client->wire);
	return zp_error_set(err, "%s", said ? said : "the connection ended before anything answered");
}

static int start_reading(struct node_client *client, struct zp_error *err)
{
	pthread_mutex_lock(&client->lock);
	client->connected = true;
	pthread_mutex_unlock(&client->lock);
	client->has_reader = pthread_create(&client->reader, NULL, read_replies, client) == 0;
	if (client->has_reader)
		return client->wire.pid ? greet(client, err) : 0;
	lose_connection(client);
	return zp_error_set(err, "no thread to read with");
}

/* Under connect_lock. */
static int connect_anew(struct node_client *client, struct zp_error *err)
{
	zp_autoerror own = ZP_ERROR_INIT;

	if (client->failure && time(NULL) - client->failed_at < REMEMBER_FAILURE_SECONDS)
		return zp_error_code(err, NODE_LOST, "%s", client->failure);
	disconnect(client);
	if (node_wire_open(&client->wire, client->entry, &own) == 0 &&
		start_reading(client, &own) == 0)
		return 0;
	free(client->failure);
	client->failure = zp_format("node %s can not be reached (%s): %s", client->entry->name,
		client->entry->connect, zp_error_text(&own));
	client->failed_at = time(NULL);
	return zp_error_code(err, NODE_LOST, "%s", client->failure);
}

static int connect_client(struct node_client *client, struct zp_error *err)
{
	int rc = 0;

	if (is_connected(client))
		return 0;
	pthread_mutex_lock(&client->connect_lock);
	if (!is_connected(client))
		rc = connect_anew(client, err);
	pthread_mutex_unlock(&client->connect_lock);
	return rc;
}

/* Those that have a reply get their result; the others move to the front. Returns their number. */
static size_t take_replies(struct node_client *client, struct node_request **open,
	struct waiter *waiters, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (waiters[i].reply)
			open[i]->result = take_result(client, waiters[i].reply, &open[i]->error);
		else
			open[left++] = open[i];
	}
	return left;
}

/* One attempt at what is open. Returns how many are so still. */
static size_t attempt(struct node_client *client, struct node_request **open, size_t count)
{
	zp_autofree struct waiter *waiters = zp_calloc(count, sizeof(*waiters));
	zp_autofree struct waiter **list = zp_calloc(count, sizeof(*list));
	zp_autofree struct node_request *requests = zp_calloc(count, sizeof(*requests));

	for (size_t i = 0; i < count; i++) {
		list[i] = &waiters[i];
		requests[i] = *open[i];
	}
	exchange(client, requests, list, count);
	return take_replies(client, open, waiters, count);
}

/*
 * Every method may be called again with the same effect, so that a connection that breaks is made anew, and
 * what it had not answered is asked once more.
 */
void node_call_many(struct node_client *client, struct node_request *requests, size_t count)
{
	zp_autofree struct node_request **open = zp_calloc(count + 1, sizeof(*open));
	zp_autoerror err = ZP_ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		open[i] = &requests[i];
	for (int i = 0; count && i < ATTEMPTS; i++) {
		if (i)
			nanosleep(&(struct timespec){ 0, RETRY_NANOSECONDS }, NULL);
		if (connect_client(client, &err) < 0)
			break;
		count = attempt(client, open, count);
	}
	if (count && !err.message)
		zp_error_code(&err, NODE_LOST,
			"the connection to node %s (%s) was lost before it answered",
			client->entry->name, client->entry->connect);
	for (size_t i = 0; i < count; i++)
		zp_error_code(&open[i]->error, err.code, "%s", zp_error_text(&err));
}

cJSON *node_call(struct node_client *client, const char *method, const cJSON *params,
	struct zp_error *err)
{
	struct node_request request = { .method = method, .params = params };

	node_call_many(client, &request, 1);
	if (request.error.message)
		zp_error_code(err, request.error.code, "%s", zp_error_text(&request.error));
	zp_error_clear(&request.error);
	return request.result;
}

struct node_pool *node_pool_new(const struct node_inventory *inventory)
{
	struct node_pool *pool = zp_calloc(1, sizeof(*pool));

	pool->inventory = inventory;
	pool->clients = zp_calloc(inventory->count, sizeof(*pool->clients));
	for (size_t i = 0; i < inventory->count; i++) {
		struct node_client *client = &pool->clients[i];
		client->entry = &inventory->items[i];
		client->wire = (struct node_wire){ .in = -1, .out = -1, .said = -1 };
		pthread_mutex_init(&client->connect_lock, NULL);
		pthread_mutex_init(&client->lock, NULL);
		pthread_mutex_init(&client->write_lock, NULL);
		pthread_cond_init(&client->arrived, NULL);
	}
	return pool;
}

void node_pool_free(struct node_pool *pool)
{
	for (size_t i = 0; i < pool->inventory->count; i++) {
		struct node_client *client = &pool->clients[i];
		disconnect(client);
		free(client->failure);
		pthread_mutex_destroy(&client->connect_lock);
		pthread_mutex_destroy(&client->lock);
		pthread_mutex_destroy(&client->write_lock);
		pthread_cond_destroy(&client->arrived);
	}
	free(pool->clients);
	free(pool);
}

const struct node_inventory *node_pool_inventory(const struct node_pool *pool)
{
	return pool->inventory;
}

static int report_unknown(const struct node_inventory *inventory, const char *node,
	struct zp_error *err)
{
	zp_autobuf names = ZP_BUF_INIT;

	for (size_t i = 0; i < inventory->count && i < 20; i++)
		zp_buf_printf(&names, "%s%s", i ? ", " : "", inventory->items[i].name);
	if (!inventory->path)
		return zp_error_set(err,
			"there is no node \"%s\": no inventory was found. Name one with -nodes=FILE "
			"or $ZPLAN_NODES, or write nodes.hcl; `zplan sandbox up` makes nodes to try",
			node);
	return zp_error_set(err, "there is no node \"%s\" in %s, which has: %s", node,
		inventory->path, names.len ? names.ptr : "none");
}

struct node_client *node_pool_get(struct node_pool *pool, const char *node, struct zp_error *err)
{
	const struct node_entry *entry = node_inventory_find(pool->inventory, node);

	if (!entry) {
		report_unknown(pool->inventory, node, err);
		return NULL;
	}
	struct node_client *client = &pool->clients[entry - pool->inventory->items];
	return connect_client(client, err) < 0 ? NULL : client;
}

cJSON *node_ensure(struct node_client *client, const struct node_workload *w, struct zp_error *err)
{
	cJSON *params = node_ensure_params(w);
	cJSON *result = node_call(client, "workload.ensure", params, err);

	cJSON_Delete(params);
	return result;
}

cJSON *node_read(struct node_client *client, const char *const *ids, size_t count,
	struct zp_error *err)
{
	cJSON *params = cJSON_CreateObject();
	cJSON *array = cJSON_AddArrayToObject(params, "ids");

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(array, cJSON_CreateString(ids[i]));
	cJSON *result = node_call(client, "workload.read", params, err);
	cJSON_Delete(params);
	if (result && cJSON_GetArraySize(result) != (int)count) {
		zp_error_set(err, "node %s: %d answers to %zu questions", client->entry->name,
			cJSON_GetArraySize(result), count);
		cJSON_Delete(result);
		return NULL;
	}
	return result;
}

int node_remove(struct node_client *client, const char *id, struct zp_error *err)
{
	cJSON *params = node_remove_params(id);
	cJSON *result = node_call(client, "workload.remove", params, err);

	cJSON_Delete(params);
	cJSON_Delete(result);
	return result ? 0 : -1;
}
