/* One operation: from the plan's values to the provider's, and back into state and journal. */
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "planner/apply.h"
#include "planner/checks.h"

double plan_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum plan_action plan_node_action(const struct plan_node *node)
{
	if (node->kind == PLAN_NODE_DELETE)
		return node->orphan ? node->orphan->action : PLAN_DELETE;
	if (node->kind != PLAN_NODE_CELL || node->cell->kind != PLAN_CELL_INSTANCE)
		return PLAN_NO_OP;
	switch (((const struct plan_instance *)node->cell)->action) {
	case PLAN_CREATE:
	case PLAN_DELETE_CREATE:
	case PLAN_CREATE_DELETE:
		return PLAN_CREATE;
	case PLAN_UPDATE:
		return PLAN_UPDATE;
	case PLAN_READ:
		return PLAN_READ;
	default:
		return PLAN_NO_OP;
	}
}

static struct plan_instance *instance_of(const struct plan_work *work)
{
	if (work->node->kind == PLAN_NODE_CELL)
		return (struct plan_instance *)work->node->cell;
	return work->node->instance;
}

/* The object the work is about, as it is stored now; NULL when there is none. */
static const struct state_object *stored_object(const struct plan_execution *execution,
	const struct plan_work *work, const char **deposed)
{
	const struct plan_orphan *orphan = work->node->orphan;
	const struct plan_instance *instance = instance_of(work);

	*deposed = orphan ? orphan->stored->deposed : NULL;
	/* The old half of create-before-destroy lies deposed by the time it is destroyed. */
	if (!orphan && work->action == PLAN_DELETE && instance->action == PLAN_CREATE_DELETE)
		*deposed = instance->deposed;
	return state_find(execution->state, work->address, *deposed);
}

/* Known before must be the same after, or what people approved is not what would be done. */
static bool is_consistent(struct plan_execution *execution, const struct plan_instance *instance,
	struct hcl_value planned, struct hcl_value final)
{
	struct zp_arena *arena = &execution->plan->arena;

	if (planned.state != HCL_KNOWN || final.state != HCL_KNOWN)
		return true;
	for (uint32_t i = 0; i < planned.count; i++) {
		if (!hcl_is_wholly_known(planned.elements[i]))
			continue;
		struct hcl_value a = hcl_unmark_deep(arena, planned.elements[i], HCL_ALL_MARKS);
		struct hcl_value b = hcl_unmark_deep(arena, final.elements[i], HCL_ALL_MARKS);
		if (hcl_value_identical(a, b))
			continue;
		struct zp_diag *diag = zp_diag_error(execution->plan->diags,
			instance->resource->config->range,
			"Provider produced inconsistent final plan",
			"When expanding the plan for %s to include new values learned so far during "
			"apply, .%s came out different from what was planned. This is a bug in the "
			"provider, or a function of the configuration gave two answers.",
			instance->address, planned.type->attributes[i].name);
		zp_diag_about(execution->plan->diags, diag, instance->address);
		return false;
	}
	return true;
}

static bool prepare_change(struct plan_execution *execution, struct plan_work *work)
{
	struct plan *plan = execution->plan;
	struct plan_instance *instance = instance_of(work);
	const struct plan_resource *resource = instance->resource->config;
	struct hcl_value planned;

	work->provider = plan_provider_for(plan, instance->cell.module, resource);
	work->type = resource->resource_type;
	if (!work->provider->configured ||
		!plan_instance_finalize(plan, instance, &work->config, &planned))
		return false;
	/* What a check reads was read before, and may be another thing by now. */
	if (!resource->in_check && !is_consistent(execution, instance, instance->planned, planned))
		return false;
	struct hcl_value nothing = hcl_null(work->type->schema->type);
	bool update = work->action == PLAN_UPDATE;
	work->op = (struct provider_operation){
		.verb = update ? PROVIDER_UPDATE :
			work->action == PLAN_READ ? PROVIDER_READ : PROVIDER_CREATE,
		.prior = update ? hcl_unmark_deep(&plan->arena, instance->prior, HCL_ALL_MARKS) :
				  nothing,
		.planned = hcl_unmark_deep(&plan->arena, planned, HCL_ALL_MARKS),
		.config = hcl_unmark_deep(&plan->arena, work->config, HCL_ALL_MARKS),
		.identity = instance->identity,
	};
	if (update && instance->stored)
		work->op.private_in = instance->stored->private_data;
	return true;
}

static bool prepare_delete(struct plan_execution *execution, struct plan_work *work)
{
	struct plan *plan = execution->plan;
	const struct plan_orphan *orphan = work->node->orphan;
	struct plan_instance *instance = instance_of(work);

	work->type = orphan ? orphan->type : instance->resource->config->resource_type;
	work->provider = orphan ?
		plan_provider_of(plan, orphan->stored->resource) :
		plan_provider_for(plan, instance->cell.module, instance->resource->config);
	if (!work->provider->configured)
		return false;
	struct hcl_value prior = orphan ? orphan->prior : instance->prior;
	struct hcl_value nothing = hcl_null(work->type->schema->type);
	work->op = (struct provider_operation){
		.verb = PROVIDER_DELETE,
		.prior = hcl_unmark_deep(&plan->arena, prior, HCL_ALL_MARKS),
		.planned = nothing,
		.config = nothing,
		.identity = plan_text_attribute(prior, work->type->identity_attribute),
		.private_in = orphan ? orphan->stored->private_data :
			instance->stored     ? instance->stored->private_data :
					       (struct zp_str){ 0 },
	};
	return true;
}

/*
 * The id under which the former object will lie deposed: chosen before the deed, so that who takes over from
 * the journal gives it the same. NULL: there is none.
 */
static const char *choose_deposed(struct plan_execution *execution, struct plan_instance *instance)
{
	unsigned char bytes[4];

	if (instance->deposed || !state_find(execution->state, instance->address, NULL))
		return instance->deposed;
	zp_random(bytes, sizeof(bytes));
	instance->deposed = zp_arena_format(&execution->plan->arena, "%02x%02x%02x%02x", bytes[0],
		bytes[1], bytes[2], bytes[3]);
	return instance->deposed;
}

static bool journal_intent(struct plan_execution *execution, struct plan_work *work)
{
	struct plan_instance *instance = instance_of(work);
	const struct plan_orphan *orphan = work->node->orphan;
	const struct state_resource *stored = orphan ? orphan->stored->resource : NULL;
	zp_autobuf planned = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;
	const char *deposed;
	size_t dependency_count = 0;

	if (!execution->journal || work->type->in_process || work->action == PLAN_READ)
		return true;
	stored_object(execution, work, &deposed);
	bool replaces = work->action == PLAN_CREATE && instance->action == PLAN_CREATE_DELETE;
	struct state_intent intent = {
		.action = work->action == PLAN_CREATE ? STATE_ACT_CREATE :
			work->action == PLAN_UPDATE   ? STATE_ACT_UPDATE : STATE_ACT_DELETE,
		.address = work->address,
		.deposed = deposed,
		.replaced_as = replaces ? choose_deposed(execution, instance) : NULL,
		.identity = work->op.identity,
		.module = stored ? stored->module : instance->cell.module->address,
		.type = work->type->name,
		.name = stored ? stored->name : instance->resource->config->name,
		.provider = stored ? stored->provider : plan_provider_address(execution->plan,
			work->provider->provider, work->provider->alias),
		.key = orphan ? orphan->stored->key : instance->key,
		.schema_version = work->type->schema->version,
	};
	if (work->action != PLAN_DELETE) {
		intent.dependencies = plan_dependencies(execution->plan, instance->resource,
			&dependency_count);
		intent.dependency_count = dependency_count;
		plan_encode_attributes(work->type->schema, work->op.planned, &planned);
		intent.planned = zp_buf_slice(&planned);
	}
	/* The disk is waited for without the lock: others may evaluate meanwhile. */
	pthread_mutex_unlock(&execution->plan->lock);
	work->intent = state_journal_intent(execution->journal, &intent, &err);
	pthread_mutex_lock(&execution->plan->lock);
	if (work->intent)
		return true;
	zp_diag_error(execution->plan->diags, ZP_NOWHERE, "Failed to write the journal",
		"%s. Without the journal nothing is changed.", zp_error_text(&err));
	return false;
}

/* One event for each of the works that are, or are not, well; those of a kind are said together. */
static void emit(struct plan_execution *execution, struct plan_work *const *works, size_t count, bool end)
{
	struct plan *plan = execution->plan;

	plan_emit_begin(plan);
	for (size_t i = 0; i < count; i++) {
		const struct plan_work *work = works[i];
		const char *key = work->type ? work->type->identity_attribute : NULL;
		bool read = work->action == PLAN_READ;
		if (!end && !work->ok)
			continue;
		struct plan_event event = { .address = work->address, .action = work->action,
			.kind = !end ? (read ? PLAN_EVENT_READ_START : PLAN_EVENT_APPLY_START) :
				!work->ok ? PLAN_EVENT_APPLY_ERROR :
				read ? PLAN_EVENT_READ_COMPLETE : PLAN_EVENT_APPLY_COMPLETE,
			.id_key = key, .id_value = plan_text_attribute(work->object, key),
			.elapsed = plan_seconds() - work->started };
		plan_emit_next(plan, &event);
	}
	plan_emit_end(plan);
}

static struct hcl_value prior_of(const struct plan_work *work)
{
	return work->node->orphan ? work->node->orphan->prior : instance_of(work)->prior;
}

/*
 * What is to be done before an object goes; when that fails, it stays. Not for tainted objects, nor for
 * those that lie deposed.
 */
static bool provision_end(struct plan_execution *execution, struct plan_work *work)
{
	struct plan_provisioned provisioned = plan_provisioned_by(execution, work);
	zp_autoerror err = ZP_ERROR_INIT;
	const char *deposed;

	if (work->action != PLAN_DELETE || !plan_has_provisioners(&provisioned, true))
		return true;
	const struct state_object *stored = stored_object(execution, work, &deposed);
	if (!stored || deposed || stored->tainted ||
		plan_provision(execution, &provisioned, prior_of(work), true))
		return true;
	if (work->intent)
		state_journal_failed(execution->journal, work->intent, stored, "", &err);
	work->ok = false;
	emit(execution, &work, 1, true);
	return false;
}

/* Under plan->lock. */
static void prepare(struct plan_execution *execution, struct plan_work *work)
{
	zp_arena_init(&work->arena);
	work->started = work->told = plan_seconds();
	work->address = work->node->orphan ? work->node->orphan->stored->address :
					     instance_of(work)->address;
	work->ok = work->action == PLAN_DELETE ? prepare_delete(execution, work) :
						 prepare_change(execution, work);
	if (!work->ok)
		return;
	work->op.type = work->type;
	work->op.address = work->address;
	work->op.arena = &work->arena;
	work->op.data = work;
	work->object = work->action == PLAN_CREATE ? hcl_null(hcl_dynamic) : work->op.prior;
	work->ok = journal_intent(execution, work);
}

void plan_works_prepare(struct plan_execution *execution, struct plan_work **works, size_t count)
{
	pthread_mutex_lock(&execution->plan->lock);
	for (size_t i = 0; i < count; i++)
		prepare(execution, works[i]);
	pthread_mutex_unlock(&execution->plan->lock);
	emit(execution, works, count, false);
	for (size_t i = 0; i < count; i++)
		works[i]->begun = works[i]->ok;
	for (size_t i = 0; i < count; i++)
		if (works[i]->ok)
			works[i]->ok = provision_end(execution, works[i]);
}

/* The provider must keep what was planned; what was unknown it decides. */
static void check_result(struct plan_execution *execution, const struct plan_work *work,
	struct hcl_value result)
{
	struct hcl_value planned = work->op.planned;

	if (planned.state != HCL_KNOWN || result.state != HCL_KNOWN)
		return;
	for (uint32_t i = 0; i < planned.count; i++) {
		if (!hcl_is_wholly_known(planned.elements[i]) ||
			hcl_value_identical(planned.elements[i], result.elements[i]))
			continue;
		struct zp_diag *diag = zp_diag_error(execution->plan->diags, ZP_NOWHERE,
			"Provider produced inconsistent result after apply",
			"When applying changes to %s, the provider gave a value for .%s other than "
			"the planned one. This is a bug in the provider.", work->address,
			planned.type->attributes[i].name);
		zp_diag_about(execution->plan->diags, diag, work->address);
	}
}

/* The object as the state keeps it. Texts live in the buffers. */
static struct state_object object_for_state(struct plan_execution *execution,
	struct plan_work *work, struct hcl_value value, struct zp_buf *attributes,
	struct zp_buf *sensitive)
{
	struct plan *plan = execution->plan;
	struct plan_instance *instance = instance_of(work);
	const struct plan_resource *config = instance->resource->config;
	struct state_object object = {
		.resource = state_resource(execution->state, instance->cell.module->address,
			config->mode == PLAN_DATA ? STATE_DATA : STATE_MANAGED, config->type,
			config->name,
			plan_provider_address(plan, work->provider->provider, work->provider->alias)),
		.key = instance->key,
		.schema_version = work->type->schema->version,
		.create_before_destroy = instance->create_before_destroy,
		.private_data = work->op.private_out.len ? work->op.private_out : work->op.private_in,
	};

	plan_encode_attributes(work->type->schema, value, attributes);
	plan_encode_sensitive(value, sensitive);
	object.attributes = zp_buf_slice(attributes);
	object.sensitive_attributes = zp_buf_slice(sensitive);
	if (config->mode == PLAN_MANAGED)
		object.dependencies =
			plan_dependencies(plan, instance->resource, &object.dependency_count);
	return object;
}

static bool finish_change(struct plan_execution *execution, struct plan_work *work, bool ok)
{
	struct plan *plan = execution->plan;
	struct plan_instance *instance = instance_of(work);
	const struct provider_schema *schema = work->type->schema;
	struct hcl_value result = work->op.result.type ?
		hcl_value_copy(&plan->arena, work->op.result) : hcl_null(schema->type);
	zp_autobuf attributes = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (ok && hcl_is_null(result)) {
		zp_diag_error(plan->diags, instance->resource->config->range,
			"Provider returned nothing", "%s was applied, but there is no object.",
			work->address);
		ok = false;
	}
	if (hcl_is_null(result)) {
		if (work->intent)
			state_journal_failed(execution->journal, work->intent, NULL, "", &err);
		return false;
	}
	if (ok)
		check_result(execution, work, result);
	struct hcl_value value = plan_carry_marks(plan, schema, work->config, result);
	if (work->action == PLAN_CREATE && instance->action == PLAN_CREATE_DELETE &&
		choose_deposed(execution, instance))
		state_depose(execution->state, instance->address, instance->deposed);
	struct state_object object =
		object_for_state(execution, work, value, &attributes, &sensitive);
	/* Until its provisioners have run it is not whole: a crash meanwhile leaves it tainted. */
	struct plan_provisioned provisioned = plan_provisioned_by(execution, work);
	bool unfinished = work->action == PLAN_CREATE && plan_has_provisioners(&provisioned, false);
	object.tainted = (!ok || unfinished) && work->action == PLAN_CREATE;
	const struct state_object *stored = state_set(execution->state, &object);
	execution->dirty = true;
	instance->cell.value = value;
	if (!work->intent)
		return ok;
	if (ok)
		state_journal_outcome(execution->journal, work->intent, stored, &err);
	else
		state_journal_failed(execution->journal, work->intent, stored, "", &err);
	return ok;
}

static bool finish_delete(struct plan_execution *execution, struct plan_work *work, bool ok)
{
	zp_autoerror err = ZP_ERROR_INIT;
	const char *deposed;

	stored_object(execution, work, &deposed);
	bool partly = work->op.result.type && !hcl_is_null(work->op.result);
	if (!ok || partly) {
		if (work->intent)
			state_journal_failed(execution->journal, work->intent, NULL, "", &err);
		return false;
	}
	state_remove(execution->state, work->address, deposed);
	execution->dirty = true;
	if (work->intent)
		state_journal_outcome(execution->journal, work->intent, NULL, &err);
	return true;
}

static bool check_postconditions(struct plan *plan, struct plan_instance *instance)
{
	const struct plan_lifecycle *lifecycle = &instance->resource->config->lifecycle;
	struct plan_scope scope;

	plan_scope_init(&scope, plan, instance->cell.module, instance->key, instance->each_value);
	scope.self = &instance->cell.value;
	scope.checked = plan_checked_instance(plan, instance);
	scope.first_rule = lifecycle->precondition_count;
	return plan_check_rules(&scope, lifecycle->postconditions, lifecycle->postcondition_count,
		"Resource postcondition failed", instance->address, NULL);
}

/* Runs what the resource wants done to a new object, which is tainted until that is well. */
static bool provision(struct plan_execution *execution, struct plan_work *work)
{
	struct plan *plan = execution->plan;
	struct plan_instance *instance = instance_of(work);
	struct plan_provisioned provisioned = plan_provisioned_by(execution, work);
	zp_autoerror err = ZP_ERROR_INIT;

	if (work->action != PLAN_CREATE || !plan_has_provisioners(&provisioned, false))
		return true;
	pthread_mutex_unlock(&plan->lock);
	bool ok = plan_provision(execution, &provisioned, instance->cell.value, false);
	pthread_mutex_lock(&plan->lock);
	struct state_object *stored = state_find(execution->state, work->address, NULL);
	if (!ok || !stored)
		return ok;
	struct state_object whole = *stored;
	whole.tainted = false;
	stored = state_set(execution->state, &whole);
	execution->dirty = true;
	if (work->intent)
		state_journal_outcome(execution->journal, work->intent, stored, &err);
	return true;
}

/* Under plan->lock. */
static void finish(struct plan_execution *execution, struct plan_work *work)
{
	struct plan *plan = execution->plan;
	struct plan_instance *instance = instance_of(work);
	bool nested = instance && work->action == PLAN_READ && instance->resource->config->in_check;

	if (nested)
		instance->read_failure = NULL;
	if (nested && work->op.problems.errors) {
		plan_report_failed_read(plan, instance, &work->op.problems);
		work->op.result = plan_without_unknown(&plan->arena, work->op.planned);
	}
	bool ok = !work->op.problems.errors;

	plan_report_problems(plan, instance ? instance->resource->config : NULL, work->address,
		&work->op.problems);
	if (work->action == PLAN_DELETE)
		ok = finish_delete(execution, work, ok);
	else
		ok = finish_change(execution, work, ok);
	work->object = work->action == PLAN_DELETE ? work->op.prior :
		ok				   ? instance->cell.value :
						     hcl_null(hcl_dynamic);
	if (ok && work->action != PLAN_DELETE)
		ok = provision(execution, work) && check_postconditions(plan, instance);
	if (!ok)
		work->object = hcl_null(hcl_dynamic);
	work->ok = ok;
}

void plan_works_finish(struct plan_execution *execution, struct plan_work **works, size_t count)
{
	pthread_mutex_lock(&execution->plan->lock);
	for (size_t i = 0; i < count; i++)
		finish(execution, works[i]);
	pthread_mutex_unlock(&execution->plan->lock);
	emit(execution, works, count, true);
}

bool plan_work_is_long(const struct plan_execution *execution, const struct plan_work *work)
{
	struct plan_provisioned provisioned = plan_provisioned_by(execution, work);

	return work->action == PLAN_CREATE && plan_has_provisioners(&provisioned, false);
}

void plan_work_release(struct plan_work *work)
{
	provider_problems_release(&work->op.problems);
	zp_arena_release(&work->arena);
	free(work);
}
