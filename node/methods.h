/*
 * What an agent can be asked: the methods behind the protocol.
 */
#ifndef NODE_METHODS_H
#define NODE_METHODS_H

#include "node/context_internal.h"
#include "node/server.h"

struct node_methods;

struct node_methods *node_methods_new(struct node_context *node,
	const struct node_workload_types *types);
void node_methods_free(struct node_methods *methods);
/* A node_handler: dispatches by name. */
cJSON *node_methods_call(void *methods, struct node_session *session, const char *method,
	const cJSON *params, struct zp_error *err);
/* Ensures everything in the registry, in the types' order; problems are logged. */
void node_methods_ensure_all(struct node_methods *methods, const volatile int *stop);
/* Lets types look after their workloads; called every second. */
void node_methods_tick(struct node_methods *methods);

#endif
