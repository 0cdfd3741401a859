/*
 * JSON-RPC 2.0, one message per line, on a UNIX socket. The server knows nothing of methods: it reads
 * requests, hands them to a handler on worker threads, and writes answers. Requests of one connection are
 * answered as they finish. What is malformed, oversized or unknown gets an error reply.
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

/* The result (the server frees it), or NULL with err; err->code becomes the reply's code. */
typedef cJSON *(*node_handler)(void *data, const char *method, const cJSON *params,
	struct zp_error *err);

/* Listens at path (0600; a stale socket file is replaced). NULL with err. */
struct node_server *node_server_start(const char *path, node_handler handler, void *data,
	struct zp_error *err);
/* Stops accepting, waits for requests under way, closes all connections. */
void node_server_stop(struct node_server *server);

#endif
