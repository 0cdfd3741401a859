/*
 * What a node has, and whom it promised how much of it. Kept in memory beside the registry, so that the
 * question whether one more fits costs the same however many there are.
 *
 * A tenant may have what its block in node.hcl grants it; one without a block a quarter of the node.
 */
#ifndef NODE_CAPACITY_H
#define NODE_CAPACITY_H

#include "node/context_internal.h"

struct node_ledger;

/* total: of the node. quotas stay the caller's. */
struct node_ledger *node_ledger_new(const char *node, struct node_capacity total,
	const struct node_quota *quotas, size_t quota_count);
void node_ledger_free(struct node_ledger *ledger);

/*
 * Promises want to the workload, in place of what it had. -1 with NODE_E_CAPACITY when it does not fit;
 * then nothing has changed.
 */
int node_ledger_promise(struct node_ledger *ledger, const char *id, const char *tenant,
	struct node_capacity want, struct zp_error *err);
/* The same without asking. */
void node_ledger_set(struct node_ledger *ledger, const char *id, const char *tenant,
	struct node_capacity want);
void node_ledger_drop(struct node_ledger *ledger, const char *id);

struct node_account {
	struct node_capacity promised;
	int64_t workloads;
};

/* NULL: all tenants together. */
struct node_account node_ledger_account(struct node_ledger *ledger, const char *tenant);
/* What the tenant may have: the node's total where it has no limit of its own. */
struct node_capacity node_ledger_limit(const struct node_ledger *ledger, const char *tenant);
/* What is left of that: never more than is left of the node. */
struct node_capacity node_ledger_left(struct node_ledger *ledger, const char *tenant);

#endif
