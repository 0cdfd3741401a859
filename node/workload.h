/*
 * Workload types: what a node can realise. One table each, registered with the agent by
 * providers/workloads.c; the node folder knows them through this contract only.
 *
 * Every function is idempotent by the workload's identity and may be called again after a crash at any
 * point: ensure creates or converges, read looks at the real objects (not at the registry), remove
 * succeeds when nothing is there. All kernel names derive from the identity (node_short_name), so what
 * an interrupted call left behind is found again by the next.
 */
#ifndef NODE_WORKLOAD_H
#define NODE_WORKLOAD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct node_context; /* context.h: root folder, registry, facts, helpers */

/* What a workload takes of the node. Bytes, and whole cores. */
struct node_capacity {
	int64_t cores, memory, disk;
};

enum node_workload_status {
	NODE_ABSENT,   /* nothing of it is there */
	NODE_OK,       /* as specified */
	NODE_DEGRADED, /* partly there or not as specified; the message says what */
};

struct node_workload {
	const char *id;	    /* "<object identity>/<part>", at most 200 bytes of [A-Za-z0-9_./-] */
	const char *type;   /* name of the workload type */
	const char *tenant; /* "" for the owner of the node */
	const char *lineage;/* of the state that owns it */
	const char *address;/* resource address in that state, for people */
	const cJSON *spec;
	const cJSON *result; /* of the last successful ensure, or NULL */
};

struct node_workload_type {
	const char *name; /* as in WORKLOADS: "zmachine" */
	int order;	  /* ensured from low to high after a restart, removed from high to low */

	/* Checks the spec's shape and values; err says which field and what is wrong. Required. */
	int (*validate)(const cJSON *spec, struct zp_error *err);
	/*
	 * For a tenant's workload, before it is admitted: refuses what only the owner of the node may
	 * have, and workloads of others it refers to (node_check_own). NULL: nothing to refuse.
	 */
	int (*check_tenant)(struct node_context *node, const struct node_workload *w,
		struct zp_error *err);
	/* What it takes; NULL: nothing. Called on a valid spec. */
	void (*capacity)(const cJSON *spec, struct node_capacity *out);
	/*
	 * Creates it or makes it as specified. *result is a new object the caller frees (fields as in
	 * WORKLOADS, stable across calls). w->result is the result of the last ensure. Required.
	 */
	int (*ensure)(struct node_context *node, const struct node_workload *w, cJSON **result,
		struct zp_error *err);
	/* Looks at the world. message, when degraded, says what differs. Required. */
	int (*read)(struct node_context *node, const struct node_workload *w,
		enum node_workload_status *status, cJSON **result, struct zp_buf *message,
		struct zp_error *err);
	/* Required. Refuses (with the reason) while another workload needs it. */
	int (*remove)(struct node_context *node, const struct node_workload *w, struct zp_error *err);
	/*
	 * Called every second by the agent's supervisor; restarts what died. *changed is set when it
	 * did something or the status changed. NULL: nothing to watch.
	 */
	int (*tick)(struct node_context *node, const struct node_workload *w, bool *changed,
		struct zp_error *err);
	/*
	 * Pool of leases (context.h) whose members are names that nobody else in an inventory may have;
	 * workload.holders tells who has one, so that others can ask before they take it. NULL: none.
	 */
	const char *names;
	/* Adds to node.facts what the node has to give of this type. NULL: nothing to say. */
	void (*facts)(struct node_context *node, cJSON *facts);
};

/* Parameters of workload.ensure and workload.remove; the caller frees them. */
cJSON *node_ensure_params(const struct node_workload *w);
cJSON *node_remove_params(const char *id);

/* The table of all types, in providers/workloads.c; given to node_agent_run(). */
struct node_workload_types {
	const struct node_workload_type *const *items;
	size_t count;
};

const struct node_workload_type *node_workload_type_find(const struct node_workload_types *types,
	const char *name);

#endif
