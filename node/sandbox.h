/*
 * Sandbox nodes: network namespaces of this machine joined by a bridge that plays the internet, each
 * with an agent, its own root folder and address, and a `client` namespace from which to look at the
 * result. State lives under the sandbox folder (default /var/lib/zplan-sandbox, or $ZPLAN_SANDBOX);
 * several sandboxes with different folders live side by side.
 */
#ifndef NODE_SANDBOX_H
#define NODE_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"

struct node_sandbox_options {
	const char *folder;	/* NULL: $ZPLAN_SANDBOX or the default */
	int nodes;		/* 1 to 64 */
	const char *inventory;	/* where to write nodes.hcl; NULL: <folder>/nodes.hcl */
	const char *program;	/* path of this zplan binary, to start agents with */
	int hidden;		/* the last so many nodes have no public address */
	const char *const *mirrors; /* "URL=TARGET" each: what nodes read in the place of a URL */
	size_t mirror_count;
};

/* Idempotent: what is there stays, what is missing is made, agents that died are started. */
int node_sandbox_up(const struct node_sandbox_options *options, struct zp_error *err);
/* Ends every process, namespace, mount, link and domain of the sandbox, whatever state it is in. */
int node_sandbox_down(const char *folder, struct zp_error *err);
/* Prints a table (or JSON) of nodes, addresses, agents and workloads. */
int node_sandbox_status(const char *folder, bool json, struct zp_error *err);

#endif
