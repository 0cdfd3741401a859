/*
 * The agent: the daemon on every node. Listens on <root>/agent.sock (0600), one JSON-RPC 2.0 message
 * per line. Commands: `zplan agent serve` runs it, `zplan agent dial` bridges stdin/stdout to it.
 */
#ifndef NODE_AGENT_H
#define NODE_AGENT_H

#include "node/workload.h"

struct node_agent_options {
	const char *root;   /* /var/lib/zplan when NULL */
	const char *config; /* node.hcl; /etc/zplan/node.hcl when NULL and present */
	const char *name;   /* overrides the configuration's */
};

/* Serves until SIGTERM or SIGINT. Workloads and helpers keep running. 0 or -1 with err. */
int node_agent_run(const struct node_agent_options *options, const struct node_workload_types *types,
	struct zp_error *err);
/* Copies between stdin/stdout and the agent's socket until either ends. */
int node_agent_dial(const char *root, const char *tenant, struct zp_error *err);

#endif
