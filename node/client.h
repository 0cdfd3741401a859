/*
 * Talking to nodes, from zplan's side.
 *
 *	struct node_inventory *inventory = node_inventory_load(path, &diags);
 *	struct node_pool *pool = node_pool_new(inventory);
 *	struct node_client *client = node_pool_get(pool, "a", err);     connects on first use
 *	cJSON *result = node_call(client, "node.facts", NULL, err);
 *	node_pool_free(pool);
 *
 * A client is one connection to one node, safe for any number of threads: calls are pipelined and
 * answered out of order. When the connection is lost, calls in flight go over a new one.
 */
#ifndef NODE_CLIENT_H
#define NODE_CLIENT_H

#include <cjson/cJSON.h>

#include "base/diag.h"
#include "base/error.h"
#include "node/workload.h"

struct node_entry {
	const char *name;
	int64_t id; /* number of the node; 0 when the inventory gives none */
	const char *connect; /* ssh://user@host[:port], unix:///path, local */
	int64_t farm;
	/* For ssh: the private key, and the only host keys that are believed. NULL: as ssh is configured. */
	const char *identity_file, *known_hosts;
	struct zp_range range;
};

struct node_inventory {
	struct node_entry *items;
	size_t count;
	const char *path; /* NULL when no file was found: no nodes */
	struct zp_arena arena;
	struct zp_source *source;
};

/*
 * Reads path, or when NULL the first of: $ZPLAN_NODES, ./nodes.hcl, the user's configuration folder
 * ($XDG_CONFIG_HOME/zplan/nodes.hcl or ~/.config/zplan/nodes.hcl). A file named but missing is an error;
 * none found by search is an empty inventory. NULL after diagnostics.
 */
struct node_inventory *node_inventory_load(const char *path, struct zp_diags *diags);
void node_inventory_free(struct node_inventory *inventory);
/* By name, or by its number as text; NULL when absent. */
const struct node_entry *node_inventory_find(const struct node_inventory *inventory, const char *name);

struct node_pool;
struct node_client;

struct node_pool *node_pool_new(const struct node_inventory *inventory);
void node_pool_free(struct node_pool *pool);
const struct node_inventory *node_pool_inventory(const struct node_pool *pool);
/*
 * The client for a node. NULL with err: a name the inventory does not have (the message lists those it
 * has), or the node can not be reached (says how it was tried). A failure is remembered for a second.
 */
struct node_client *node_pool_get(struct node_pool *pool, const char *node, struct zp_error *err);

/*
 * One JSON-RPC 2.0 call. params (may be NULL) stays the caller's. The result is the caller's to free;
 * NULL with err (code: the JSON-RPC error's, or NODE_LOST when there is no connection, or it broke before
 * the answer and did so again with the next ones).
 */
#define NODE_LOST (-1)
cJSON *node_call(struct node_client *client, const char *method, const cJSON *params,
	struct zp_error *err);

/* Several calls in one message; they are carried out side by side, and answered as they finish. */
struct node_request {
	const char *method;
	const cJSON *params; /* may be NULL */
	cJSON *result;	     /* as of node_call; NULL with error */
	struct zp_error error;
};
void node_call_many(struct node_client *client, struct node_request *requests, size_t count);

/* Error codes of the agent, beside JSON-RPC's own. */
enum node_rpc_error {
	NODE_E_INVALID = -32000,  /* spec not valid */
	NODE_E_CAPACITY = -32001, /* does not fit */
	NODE_E_BUSY = -32002,	  /* needed by another workload, or name taken */
	NODE_E_FAILED = -32003,	  /* the node tried and could not */
	NODE_E_DENIED = -32004,	  /* another tenant's */
};

/*
 * Conveniences over node_call. ensure: workload.ensure {id,type,lineage,address,spec} -> result.
 * read: workload.read {ids:[...]} -> an array of {id,status:"absent|ok|degraded",message,spec,result}
 * in the order asked; {objects:[identity...]} gives all that belongs to these objects, by id. remove:
 * workload.remove {id}. list: workload.list {lineage?,type?} -> array with specs.
 */
cJSON *node_ensure(struct node_client *client, const struct node_workload *w, struct zp_error *err);
cJSON *node_read(struct node_client *client, const char *const *ids, size_t count,
	struct zp_error *err);
int node_remove(struct node_client *client, const char *id, struct zp_error *err);

#endif
