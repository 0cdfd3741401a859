/*
 * The execution graph: what has to happen, and before what. Nodes are all cells of the plan (most of them
 * pass at once: they only carry order), the destroying half of replacements and deletions, and joins that
 * keep the number of edges linear. Edges are compressed rows, from a node to those that wait for it.
 */
#ifndef PLANNER_GRAPH_H
#define PLANNER_GRAPH_H

#include "planner/engine.h"

enum plan_node_kind { PLAN_NODE_CELL, PLAN_NODE_DELETE, PLAN_NODE_JOIN };
enum plan_node_status { PLAN_NODE_WAITING, PLAN_NODE_READY, PLAN_NODE_FINISHED, PLAN_NODE_SKIPPED };

struct plan_node {
	enum plan_node_kind kind;
	enum plan_node_status status;
	struct plan_cell *cell;	    /* CELL */
	struct plan_instance *instance; /* DELETE of a replaced or destroyed instance */
	struct plan_orphan *orphan; /* DELETE of an orphan */
	uint32_t waiting;	    /* unfinished nodes it waits for */
	bool blocked;		    /* one of those failed */
};

struct plan_graph {
	struct plan_node *nodes;
	uint32_t count;
	uint32_t *row;	/* count + 1: where a node's edges begin */
	uint32_t *edge; /* nodes that wait for it */
};

void plan_graph_build(struct plan_graph *graph, struct plan *plan);
void plan_graph_release(struct plan_graph *graph);
/* Sorted addresses of the resources an object stands on, directly or not; in the plan's arena. */
const char *const *plan_dependencies(struct plan *plan, struct plan_resource_cell *resource,
	size_t *count);

#endif
