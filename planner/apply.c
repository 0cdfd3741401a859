/* The walk over the graph: workers take what is ready, in batches where a provider wants them. */
#include "planner/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "planner/checks.h"

#define WORKER_STACK ((size_t)256 << 20)
#define MAX_BATCH 256
#define PROGRESS_EVERY 10.0
#define CHECKPOINT_EVERY 10.0

ZP_VEC(work_vec, struct plan_work *);

/* All instances are done: the value made while planning gives way to the one they have now. */
static void settle_resource(struct plan_resource_cell *resource)
{
	resource->has_aggregate = resource->has_aggregate && resource->settled;
	resource->settled = true;
}

/* Under execution->lock. Passing nodes finish here, without a worker, and without recursion. */
static void finish_node(struct plan_execution *execution, uint32_t first, bool ok)
{
	struct plan_graph *graph = &execution->graph;
	ZP_VEC(, uint32_t) done = { 0 };

	graph->nodes[first].status = ok ? PLAN_NODE_FINISHED : PLAN_NODE_SKIPPED;
	zp_vec_push(&done, first);
	while (done.count) {
		uint32_t number = done.items[--done.count];
		const struct plan_node *node = &graph->nodes[number];
		execution->remaining--;
		if (node->kind == PLAN_NODE_CELL && node->cell->kind == PLAN_CELL_RESOURCE)
			settle_resource(&node->cell->module->resources[node->cell->index]);
		for (uint32_t i = graph->row[number]; i < graph->row[number + 1]; i++) {
			struct plan_node *next = &graph->nodes[graph->edge[i]];
			next->blocked |= node->status == PLAN_NODE_SKIPPED;
			if (--next->waiting)
				continue;
			if (next->blocked) {
				next->status = PLAN_NODE_SKIPPED;
				zp_vec_push(&done, graph->edge[i]);
			} else if (plan_node_action(next) == PLAN_NO_OP) {
				next->status = PLAN_NODE_FINISHED;
				zp_vec_push(&done, graph->edge[i]);
			} else {
				next->status = PLAN_NODE_READY;
				zp_vec_push(&execution->ready, graph->edge[i]);
			}
		}
	}
	zp_vec_release(&done);
}

/* Nodes that wait for nothing, before any worker runs. */
static void start_nodes(struct plan_execution *execution)
{
	struct plan_graph *graph = &execution->graph;
	ZP_VEC(, uint32_t) roots = { 0 };

	execution->remaining = graph->count;
	for (uint32_t i = 0; i < graph->count; i++)
		if (!graph->nodes[i].waiting)
			zp_vec_push(&roots, i);
	for (size_t i = 0; i < roots.count; i++) {
		if (plan_node_action(&graph->nodes[roots.items[i]]) == PLAN_NO_OP) {
			finish_node(execution, roots.items[i], true);
		} else {
			graph->nodes[roots.items[i]].status = PLAN_NODE_READY;
			zp_vec_push(&execution->ready, roots.items[i]);
		}
	}
	zp_vec_release(&roots);
}

static struct plan_work *new_work(struct plan_execution *execution, uint32_t number)
{
	struct plan_work *work = zp_calloc(1, sizeof(*work));

	work->node = &execution->graph.nodes[number];
	work->action = plan_node_action(work->node);
	return work;
}

static uint32_t node_number(const struct plan_execution *execution, const struct plan_work *work)
{
	return (uint32_t)(work->node - execution->graph.nodes);
}

/* Works that are done count, and what waited for them may begin. */
static void settle(struct plan_execution *execution, struct plan_work **works, size_t count)
{
	pthread_mutex_lock(&execution->lock);
	for (size_t i = 0; i < count; i++) {
		struct plan_work *work = works[i];
		*work->link = work->next;
		if (work->next)
			work->next->link = work->link;
		finish_node(execution, node_number(execution, work), work->ok);
		execution->busy--;
	}
	pthread_cond_broadcast(&execution->wake);
	pthread_mutex_unlock(&execution->lock);
	for (size_t i = 0; i < count; i++)
		plan_work_release(works[i]);
}

static bool same_batch(const struct plan_work *a, const struct plan_work *b)
{
	if (a->type != b->type || a->provider != b->provider || !a->type->batch_key)
		return false;
	const char *x = a->type->batch_key(&a->op), *y = b->type->batch_key(&b->op);
	return x && y && strcmp(x, y) == 0;
}

/* What takes long is finished last, by itself, so that nobody waits for it who need not. */
static void finish_batch(struct plan_execution *execution, struct plan_work **batch, size_t count)
{
	struct plan_work *last[MAX_BATCH];
	size_t quick = 0, slow = 0;

	for (size_t i = 0; i < count; i++) {
		if (plan_work_is_long(execution, batch[i]))
			last[slow++] = batch[i];
		else
			batch[quick++] = batch[i];
	}
	if (quick) {
		plan_works_finish(execution, batch, quick);
		settle(execution, batch, quick);
	}
	for (size_t i = 0; i < slow; i++) {
		plan_works_finish(execution, &last[i], 1);
		settle(execution, &last[i], 1);
	}
}

/* Runs prepared works, those of one batch together. */
static void run_works(struct plan_execution *execution, struct work_vec *works)
{
	while (works->count) {
		struct provider_operation *ops[MAX_BATCH];
		struct plan_work *batch[MAX_BATCH];
		size_t count = 0, kept = 0;
		for (size_t i = 0; i < works->count; i++) {
			struct plan_work *work = works->items[i];
			if (count == MAX_BATCH || (count && !same_batch(batch[0], work))) {
				works->items[kept++] = work;
				continue;
			}
			ops[count] = &work->op;
			batch[count++] = work;
		}
		works->count = kept;
		batch[0]->type->run(&batch[0]->provider->instance, ops, count);
		finish_batch(execution, batch, count);
	}
}

/*
 * Takes a fair share of what is ready: all there was at once divided by the workers, so that they have
 * work alike, and one message to a node can carry many operations.
 */
static void take_ready(struct plan_execution *execution, struct work_vec *works)
{
	size_t ready = execution->ready.count - execution->ready_head;
	size_t workers = (size_t)execution->options->parallelism;

	if (ready > execution->wave)
		execution->wave = ready;
	size_t share = (execution->wave + workers - 1) / workers;
	for (size_t i = 0; i < share && i < ready && i < MAX_BATCH; i++) {
		struct plan_work *work =
			new_work(execution, execution->ready.items[execution->ready_head++]);
		work->next = execution->running;
		work->link = &execution->running;
		if (work->next)
			work->next->link = &work->next;
		execution->running = work;
		execution->busy++;
		zp_vec_push(works, work);
	}
	if (execution->ready_head == execution->ready.count)
		execution->ready.count = execution->ready_head = execution->wave = 0;
}

static void prepare_works(struct plan_execution *execution, struct work_vec *works)
{
	struct plan_work *failed[MAX_BATCH];
	size_t kept = 0, failures = 0;

	plan_works_prepare(execution, works->items, works->count);
	for (size_t i = 0; i < works->count; i++) {
		struct plan_work *work = works->items[i];
		if (work->ok)
			works->items[kept++] = work;
		else
			failed[failures++] = work;
	}
	works->count = kept;
	if (failures)
		settle(execution, failed, failures);
}

static void *worker(void *data)
{
	struct plan_execution *execution = data;
	struct work_vec works = { 0 };

	pthread_mutex_lock(&execution->lock);
	for (;;) {
		bool none = execution->ready_head == execution->ready.count;
		if (execution->stopping || (none && !execution->busy))
			break;
		if (none) {
			pthread_cond_wait(&execution->wake, &execution->lock);
			continue;
		}
		take_ready(execution, &works);
		pthread_mutex_unlock(&execution->lock);
		prepare_works(execution, &works);
		run_works(execution, &works);
		pthread_mutex_lock(&execution->lock);
	}
	pthread_cond_broadcast(&execution->wake);
	pthread_mutex_unlock(&execution->lock);
	zp_vec_release(&works);
	return NULL;
}

/* Under execution->lock. */
static void tell_progress(struct plan_execution *execution)
{
	double now = plan_seconds();

	for (struct plan_work *work = execution->running; work; work = work->next) {
		if (!work->begun || now - work->told < PROGRESS_EVERY)
			continue;
		work->told += PROGRESS_EVERY;
		plan_emit(execution->plan, &(struct plan_event){ .kind = PLAN_EVENT_APPLY_PROGRESS,
			.address = work->address, .action = work->action,
			.id_key = work->type ? work->type->identity_attribute : NULL,
			.id_value = work->action == PLAN_CREATE ? NULL : work->op.identity,
			.elapsed = work->told - work->started });
	}
}

/* A checkpoint lets the journal begin anew. */
static bool store(struct plan_execution *execution, bool checkpoint, struct zp_error *err)
{
	struct plan *plan = execution->plan;

	pthread_mutex_lock(&plan->lock);
	if (!execution->raised && !state_equal(plan->stored, execution->state)) {
		execution->state->serial++;
		execution->raised = true;
	}
	bool ok = !execution->raised ||
		state_backend_store(execution->options->backend, execution->state, err) == 0;
	execution->dirty = !ok;
	/* Outcomes are recorded under the same lock: the state has all the journal has. */
	if (ok && checkpoint && execution->journal)
		state_journal_checkpoint(execution->journal, execution->state->lineage,
			execution->state->serial, err);
	pthread_mutex_unlock(&plan->lock);
	return ok;
}

/* A second interrupt: nothing is waited for. What is done is stored; the journal has what was under way. */
static void stop_at_once(struct plan_execution *execution)
{
	zp_autoerror err = ZP_ERROR_INIT;

	store(execution, false, &err);
	if (execution->journal)
		state_journal_sync(execution->journal, &err);
	state_backend_unlock(execution->options->backend, &err);
	_exit(1);
}

/* Watches over the workers: progress, checkpoints, interrupts. Under execution->lock. */
static void supervise(struct plan_execution *execution)
{
	double stored = plan_seconds();

	for (;;) {
		int interrupts = execution->options->interrupted ? *execution->options->interrupted : 0;
		struct timespec until;
		if (interrupts > 1)
			stop_at_once(execution);
		if (interrupts && !execution->stopping) {
			execution->stopping = true;
			pthread_cond_broadcast(&execution->wake);
		}
		bool idle = execution->ready_head == execution->ready.count || execution->stopping;
		if (idle && !execution->busy)
			return;
		tell_progress(execution);
		if (execution->dirty && plan_seconds() - stored > CHECKPOINT_EVERY) {
			zp_autoerror err = ZP_ERROR_INIT;
			pthread_mutex_unlock(&execution->lock);
			store(execution, true, &err); /* a failure shows at the end, where it counts */
			pthread_mutex_lock(&execution->lock);
			stored = plan_seconds();
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 200000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&execution->wake, &execution->lock, &until);
	}
}

static void run_workers(struct plan_execution *execution)
{
	int wanted = execution->options->parallelism, started = 0;
	pthread_t *threads = zp_calloc((size_t)wanted, sizeof(*threads));
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WORKER_STACK);
	pthread_mutex_lock(&execution->lock);
	/* No more threads than there can be work for. */
	if ((uint32_t)wanted > execution->remaining)
		wanted = (int)execution->remaining;
	while (started < wanted &&
		pthread_create(&threads[started], &attributes, worker, execution) == 0)
		started++;
	if (started)
		supervise(execution);
	pthread_mutex_unlock(&execution->lock);
	if (!started && execution->remaining)
		worker(execution);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
	free(threads);
}

static bool check_fresh(struct plan *plan, const struct state *state)
{
	if (plan->stored->serial == state->serial &&
		(strcmp(plan->stored->lineage, state->lineage) == 0 ||
			(state_is_empty(plan->stored) && !plan->stored->serial)))
		return true;
	zp_diag_error(plan->diags, ZP_NOWHERE, "Saved plan is stale",
		"The given plan file can no longer be applied because the state was changed by "
		"another operation after the plan was created.");
	return false;
}

/* Values that were not known are asked for again, now that they can be. */
static void forget_unknown(struct plan *plan)
{
	for (size_t i = 0; i < plan->cells.count; i++) {
		struct plan_cell *cell = plan->cells.items[i];
		bool value = cell->kind == PLAN_CELL_VARIABLE || cell->kind == PLAN_CELL_LOCAL ||
			cell->kind == PLAN_CELL_OUTPUT;
		bool root = cell->kind == PLAN_CELL_VARIABLE && !cell->module->made_by;
		if (value && !root && cell->status == PLAN_DONE &&
			!hcl_is_wholly_known(cell->value))
			cell->status = PLAN_NEW;
	}
	plan->applying = true;
}

static bool needs_journal(const struct plan_graph *graph)
{
	for (uint32_t i = 0; i < graph->count; i++) {
		const struct plan_node *node = &graph->nodes[i];
		enum plan_action action = plan_node_action(node);
		if (action == PLAN_NO_OP || action == PLAN_READ)
			continue;
		const struct provider_resource_type *type = node->orphan ? node->orphan->type :
			node->instance ? node->instance->resource->config->resource_type :
			((const struct plan_instance *)node->cell)->resource->config->resource_type;
		if (!type->in_process)
			return true;
	}
	return false;
}

static bool open_journal(struct plan_execution *execution)
{
	zp_autoerror err = ZP_ERROR_INIT;
	const char *path = execution->options->backend->journal_path;

	if (!needs_journal(&execution->graph))
		return true;
	execution->journal = state_journal_create(path, execution->state->lineage,
		execution->state->serial, &err);
	if (!execution->journal)
		zp_diag_error(execution->plan->diags, ZP_NOWHERE, "Failed to open the journal",
			"%s. Nothing was changed.", zp_error_text(&err));
	return execution->journal != NULL;
}

/* The journal goes only after the state is safe; else the next run takes it over. */
static void close_journal(struct plan_execution *execution, bool stored)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (!execution->journal)
		return;
	if (!stored) {
		state_journal_sync(execution->journal, &err);
		state_journal_abandon(execution->journal);
	} else if (state_journal_finish(execution->journal, &err) < 0) {
		zp_diag_warning(execution->plan->diags, ZP_NOWHERE, "Journal not removed", "%s",
			zp_error_text(&err));
	}
	execution->journal = NULL;
}

static void report_left(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;

	if (execution->stopping)
		zp_diag_error(plan->diags, ZP_NOWHERE, "Execution halted",
			"The run was interrupted. What had finished is in the state; run apply "
			"again for the rest.");
	else if (execution->remaining && !plan->diags->errors)
		zp_diag_error(plan->diags, ZP_NOWHERE, "Cycle",
			"%u steps wait for each other: what is to be destroyed and what is to be "
			"created can not be brought in an order.", execution->remaining);
}

static enum plan_reached reached(void *data, const struct plan_cell *cell)
{
	const struct plan_execution *execution = data;
	const struct plan_node *node = &execution->graph.nodes[cell->number];

	if (node->status == PLAN_NODE_FINISHED)
		return PLAN_GOT_DONE;
	return node->status == PLAN_NODE_SKIPPED && !node->blocked ? PLAN_REACHED : PLAN_NOT_REACHED;
}

static bool execute(struct plan_execution *execution)
{
	struct plan *plan = execution->plan;
	zp_autoerror err = ZP_ERROR_INIT;
	size_t errors = plan->diags->errors;

	plan_move_objects(plan, execution->state);
	plan_record_drift(execution);
	plan_record_adopted(execution);
	forget_unknown(plan);
	if (!open_journal(execution))
		return false;
	start_nodes(execution);
	if (execution->remaining)
		run_workers(execution);
	report_left(execution);
	if (plan->diags->errors > errors)
		plan_forget_checks(plan, reached, execution);
	if (!execution->stopping)
		plan_check_rest(plan);
	plan_record_rest(execution, plan->diags->errors == errors);
	plan_store_checks(plan, execution->state);
	bool stored = store(execution, false, &err);
	if (!stored)
		zp_diag_error(plan->diags, ZP_NOWHERE, "Failed to save state",
			"%s%s%s%s", zp_error_text(&err),
			execution->journal ? "\n\nWhat was done is in the journal " : "",
			execution->journal ? execution->options->backend->journal_path : "",
			execution->journal ? " too, and the next run takes it over: make room or give "
				"access, and run apply again." : "");
	close_journal(execution, stored);
	return plan->diags->errors == errors;
}

bool plan_apply(struct plan *plan, const struct plan_apply_options *given, struct zp_diags *diags)
{
	struct plan_apply_options options = *given;
	struct plan_execution execution = { .plan = plan, .options = &options,
		.state = options.state };

	plan->diags = diags;
	if (options.parallelism < 1)
		options.parallelism = 10;
	if (plan->errored || !check_fresh(plan, options.state))
		return false;
	pthread_mutex_init(&execution.lock, NULL);
	pthread_cond_init(&execution.wake, NULL);
	plan_graph_build(&execution.graph, plan);
	bool ok = execute(&execution);
	plan_graph_release(&execution.graph);
	zp_vec_release(&execution.ready);
	pthread_cond_destroy(&execution.wake);
	pthread_mutex_destroy(&execution.lock);
	return ok;
}
