/*
 * What a node has promised, in SQLite (WAL): workloads with spec and result, and leases. Every call is
 * durable when it returns; calls at the same time become so together. Safe for concurrent use.
 */
#ifndef NODE_REGISTRY_H
#define NODE_REGISTRY_H

#include "node/workload.h"

struct node_registry;

/*
 * Creates what is missing. A damaged file is put aside and made again from its last copy and the log of what was
 * done since (registry_log.h); where there is no copy it is an error that names it.
 */
struct node_registry *node_registry_open(const char *path, struct zp_error *err);
/* Copies what has changed to <path>.copy, from which a damaged file is replaced when it is opened. */
void node_registry_copy(struct node_registry *registry);
void node_registry_close(struct node_registry *registry);

/* Adds or replaces spec and owner; the result of an earlier ensure stays. */
int node_registry_put(struct node_registry *registry, const struct node_workload *w,
	struct zp_error *err);
int node_registry_set_result(struct node_registry *registry, const char *id, const cJSON *result,
	struct zp_error *err);
/* Removes the workload and its leases. */
int node_registry_delete(struct node_registry *registry, const char *id, struct zp_error *err);
/* A copy (node_workload_free), or NULL when there is none. */
struct node_workload *node_registry_get(struct node_registry *registry, const char *id);
/* Copies of all of a type (NULL: all), by id; heap array of *count. */
struct node_workload **node_registry_all(struct node_registry *registry, const char *type,
	size_t *count);
/* Copies of those whose id begins with "<identity>/". */
struct node_workload **node_registry_of_object(struct node_registry *registry, const char *identity,
	size_t *count);

int node_registry_lease_int(struct node_registry *registry, const char *pool, const char *holder,
	int64_t from, int64_t to, int64_t *out, struct zp_error *err);
int node_registry_lease_take(struct node_registry *registry, const char *pool, const char *holder,
	const char *member, struct zp_error *err);
/* Who has a member of the pool; heap, NULL when nobody has. */
char *node_registry_lease_holder(
	struct node_registry *registry, const char *pool, const char *member);
int node_registry_lease_release(struct node_registry *registry, const char *pool,
	const char *holder, struct zp_error *err);

#endif
