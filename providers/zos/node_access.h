/*
 * How the zos resource types talk to nodes: many questions in one message per node, and changes of
 * several objects side by side.
 */
#ifndef PROVIDERS_ZOS_NODE_ACCESS_H
#define PROVIDERS_ZOS_NODE_ACCESS_H

#include "providers/provider.h"

/* Calls fn(data, 0) to fn(data, count - 1) on a few threads and waits for all. */
void zos_parallel(size_t count, void (*fn)(void *data, size_t index), void *data);

/* "<identity>/<part>", in the arena. */
const char *zos_workload_id(struct zp_arena *arena, const char *identity, const char *part);

/* One question about one workload. node and id are set by the caller. */
struct zos_query {
	const char *node, *id;
	cJSON *reply; /* {id, status, message, spec, result}; NULL with error */
	struct zp_error error;
};

/* Asks each node concerned once, all nodes at the same time. */
void zos_query_all(struct node_pool *pool, struct zos_query *queries, size_t count);
void zos_query_release(struct zos_query *query);

enum zos_presence {
	ZOS_ABSENT, /* the node knows nothing of it */
	ZOS_OK,
	ZOS_DEGRADED /* the node knows it, and something of it is not as it should be */
};

/* What a reply says; *message (inside the reply, may be NULL) why, when degraded. */
enum zos_presence zos_presence(const cJSON *reply, const char **message);

/* One call of a node's agent. node, method and params are the caller's. */
struct zos_call {
	const char *node, *method;
	const cJSON *params;
	cJSON *result; /* the caller's to free; NULL with error */
	struct zp_error error;
	bool unsent; /* the node was out of reach: it knows nothing of the call */
};

/* Makes the calls of each node in one message, all nodes at the same time. */
void zos_call_all(struct node_pool *pool, struct zos_call *calls, size_t count);

/* The client of a node; a problem of the operation ("node") when there is none. */
struct node_client *zos_client(
	struct provider_instance *instance, struct provider_operation *op, const char *node);
/* Makes or converges one workload of an operation's object. NULL with err. */
cJSON *zos_ensure(struct provider_instance *instance, struct provider_operation *op,
	struct node_client *client, const char *id, const char *type, const cJSON *spec,
	struct zp_error *err);
/* The parameters of that call; the caller frees them. */
cJSON *zos_ensure_params(struct provider_instance *instance, const struct provider_operation *op,
	const char *id, const char *type, const cJSON *spec);

#endif
