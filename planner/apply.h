/*
 * Carrying out a plan: the walk over the graph (apply.c), the single operation
 * (apply_operation.c), and what is recorded besides (record.c).
 */
#ifndef PLANNER_APPLY_H
#define PLANNER_APPLY_H

#include "planner/graph.h"

/* One provider operation under way. */
struct plan_work {
	struct plan_node *node;
	enum plan_action action; /* PLAN_CREATE, UPDATE, READ or DELETE: this half of it */
	const char *address;
	const struct provider_resource_type *type;
	struct plan_provider *provider;
	struct hcl_value config; /* with marks */
	struct zp_arena arena;	 /* of the provider's result */
	struct provider_operation op;
	uint64_t intent;
	double started; /* seconds, monotonic */
	double told;	/* when progress was last reported */
	_Atomic bool begun; /* what is above will not change any more: others may look */
	bool ok;
	struct hcl_value object; /* what it came to, once it is done */
	struct plan_work *next, **link; /* in the list of what runs */
};

struct plan_execution {
	struct plan *plan;
	const struct plan_apply_options *options;
	struct state *state;
	struct plan_graph graph;
	struct state_journal *journal; /* NULL: nothing to journal */
	pthread_mutex_t lock;	       /* queue, running, remaining */
	pthread_cond_t wake;
	ZP_VEC(, uint32_t) ready;
	size_t ready_head;
	size_t wave; /* how much was ready at once since nothing was */
	uint32_t remaining;
	uint32_t busy; /* workers inside an operation */
	bool stopping;
	_Atomic bool dirty; /* the state changed since it was last stored; set under plan->lock */
	bool raised; /* its serial was raised; under plan->lock */
	struct plan_work *running;
};

/* What the node asks of a provider; PLAN_NO_OP for nothing. */
enum plan_action plan_node_action(const struct plan_node *node);
/*
 * Works of one worker go together, so that locks are taken and lines written once for many of them.
 * What failed, after diagnostics, has ok false.
 */
/* Evaluates, journals, and runs what is to be done before an object goes. */
void plan_works_prepare(struct plan_execution *execution, struct plan_work **works, size_t count);
/* Takes over the provider's results: values, state, journal. */
void plan_works_finish(struct plan_execution *execution, struct plan_work **works, size_t count);
/* Whether its end is to be told before that of others: provisioners take their time. */
bool plan_work_is_long(const struct plan_execution *execution, const struct plan_work *work);
void plan_work_release(struct plan_work *work);
double plan_seconds(void);

/* Whose provisioners are to run: an instance's, or those of the block that removed an object. */
struct plan_provisioned {
	const char *address;
	const struct plan_provisioner *provisioners;
	size_t count;
	const struct hcl_body *connection; /* for all of them; or NULL */
	struct plan_scope_module *module;
	struct state_key key;
	struct hcl_value each_value;
};

/*
 * provision.c: runs the provisioners of the moment, one after the other; self is the object. Takes
 * plan->lock itself. False after diagnostics, when one failed and that counts.
 */
bool plan_provision(struct plan_execution *execution, const struct plan_provisioned *what,
	struct hcl_value self, bool when_destroy);
struct plan_provisioned plan_provisioned_by(const struct plan_execution *execution,
	const struct plan_work *work);
bool plan_has_provisioners(const struct plan_provisioned *what, bool when_destroy);

/* record.c: what refresh found out, whatever happens afterwards. */
void plan_record_drift(struct plan_execution *execution);
/* What is imported, and what is forgotten: neither asks anybody. */
void plan_record_adopted(struct plan_execution *execution);
/* Once all is done: data sources, dependencies, outputs. all_well: nothing failed. */
void plan_record_rest(struct plan_execution *execution, bool all_well);

#endif
