/*
 * JSON-RPC 2.0, one message per line, on a UNIX socket. The server knows nothing of methods: it reads
 * requests, hands them to a handler on worker threads, and writes answers. Requests of one connection are
 * answered as they finish, also those that come together as an array on one line. What is malformed, oversized or unknown gets an error reply.
 */
#ifndef NODE_SERVER_H
#define NODE_SERVER_H

#include <cjson/cJSON.h>

#include "base/error.h"

#define NODE_MAX_MESSAGE ((size_t)8 << 20)

enum node_json_rpc_error {
	NODE_RPC_PARSE = -32700,
	NODE_RPC_REQUEST = -32600,
	NODE_RPC_METHOD = -32601,
	NODE_RPC_PARAMS = -32602,
	NODE_RPC_INTERNAL = -32603,
};

struct node_server;

/*
 * What connections of one party have together, so that it gets no more than its share of the workers.
 * Belongs to the handler and outlives the server; the counters are the server's.
 */
struct node_share {
	const char *name;
	int running, queued, connections;
};

#define NODE_SHARE_RUNNING 6
#define NODE_SHARE_QUEUED 512
#define NODE_SHARE_CONNECTIONS 64

/* One connection. share NULL: no limit but the server's own. */
struct node_session {
	struct node_share *share;
};

/*
 * The result (the server frees it), or NULL with err; err->code becomes the reply's code. Methods whose
 * names begin with "session." are called before anything after them is read; they alone may set the
 * session's share, once.
 */
typedef cJSON *(*node_handler)(void *data, struct node_session *session, const char *method,
	const cJSON *params, struct zp_error *err);

/* Listens at path (0600; a stale socket file is replaced). NULL with err. */
struct node_server *node_server_start(const char *path, node_handler handler, void *data,
	struct zp_error *err);
/* Stops accepting, waits for requests under way, closes all connections. */
void node_server_stop(struct node_server *server);

#endif
