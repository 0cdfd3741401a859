#include "providers/grid/view.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "providers/zos/composite.h"
#include "providers/zos/object.h"

struct hcl_value grid_view_inward(const struct grid_view *view,
	const struct grid_view_context *context, struct hcl_value values)
{
	struct provider_builder builder;

	if (!values.type || values.state != HCL_KNOWN)
		return provider_schema_null(view->inner->schema);
	provider_build(&builder, context->arena, view->inner->schema,
		provider_schema_null(view->inner->schema));
	view->inward(context, values, &builder);
	return provider_built(&builder);
}

static struct hcl_value outward(const struct grid_view *view,
	const struct grid_view_context *context, const struct provider_schema *schema,
	struct hcl_value inner, struct hcl_value before)
{
	struct provider_builder builder;

	if (!provider_is_object(inner))
		return provider_schema_null(schema);
	provider_build(&builder, context->arena, schema, before);
	view->outward(context, inner, &builder);
	return provider_built(&builder);
}

void grid_view_plan(const struct grid_view *view, struct provider_plan *plan)
{
	struct grid_view_context context = { .arena = plan->arena };
	struct provider_plan inner = *plan;

	if (plan->planned.state != HCL_KNOWN)
		return;
	if (plan->instance && plan->instance->environment)
		context.pool = plan->instance->environment->nodes;
	inner.type = view->inner;
	inner.problems = (struct provider_problems){ 0 };
	inner.prior = grid_view_inward(view, &context, plan->prior);
	inner.config = grid_view_inward(view, &context, plan->config);
	inner.planned = grid_view_inward(view, &context, plan->planned);
	view->inner->plan(&inner);
	plan->planned = outward(view, &context, plan->type->schema, inner.planned, plan->planned);
	grid_problems_move(&plan->problems, &inner.problems);
}

/* ---- running ---- */

struct running {
	struct provider_operation inner;
	struct grid_view_context context;
	size_t lookup; /* number of its network's lookup, or SIZE_MAX */
};

static struct hcl_value before_of(const struct provider_operation *op)
{
	switch (op->verb) {
	case PROVIDER_READ:
		return op->prior;
	case PROVIDER_IMPORT:
		return op->type->schema->empty;
	default:
		return provider_is_object(op->planned) ? op->planned : op->prior;
	}
}

static bool changes(const struct provider_operation *op)
{
	return op->verb == PROVIDER_CREATE || op->verb == PROVIDER_UPDATE;
}

/* Looks up the networks of all; where that fails the operation is over. */
static void find_networks(const struct grid_view *view, struct provider_instance *instance,
	struct running *items, struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct zos_network_lookup *lookups = zp_calloc(count + 1, sizeof(*lookups));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct zos_network_lookup *lookup = &lookups[n];
		items[i].lookup = SIZE_MAX;
		if (view->network && changes(ops[i]) &&
			view->network(&items[i].context, ops[i]->planned, &lookup->node, &lookup->name))
			items[i].lookup = n++;
	}
	if (!n)
		return;
	zos_networks_find(instance, ops[0]->arena, lookups, n);
	for (size_t i = 0; i < count; i++) {
		if (items[i].lookup == SIZE_MAX)
			continue;
		struct zos_network_lookup *lookup = &lookups[items[i].lookup];
		const char *slash = lookup->id ? strrchr(lookup->id, '/') : NULL;
		if (slash)
			items[i].context.network = zp_arena_strndup(
				ops[i]->arena, lookup->id, (size_t)(slash - lookup->id));
		else
			provider_error_from(
				&ops[i]->problems, "network", "Network not found", &lookup->error);
	}
}

/* The inner type under the outer one's name, as errors are to say it. */
static const struct provider_resource_type *named(
	const struct grid_view *view, const struct provider_operation *op)
{
	struct provider_resource_type *type = zp_new(op->arena, struct provider_resource_type);

	*type = *view->inner;
	type->name = op->type->name;
	return type;
}

static void begin(const struct grid_view *view, struct running *item, struct provider_operation *op)
{
	item->inner = *op;
	item->inner.type = named(view, op);
	item->inner.problems = (struct provider_problems){ 0 };
	item->inner.prior = grid_view_inward(view, &item->context, op->prior);
	item->inner.planned = grid_view_inward(view, &item->context, op->planned);
	item->inner.config = grid_view_inward(view, &item->context, op->config);
	item->inner.result = provider_schema_null(view->inner->schema);
}

static void end(const struct grid_view *view, struct running *item, struct provider_operation *op)
{
	/* A failed change that left everything as it was. */
	bool as_before = item->inner.problems.errors && provider_is_object(op->prior) &&
			 item->inner.result.elements == item->inner.prior.elements;

	op->result = as_before ? op->prior :
				 outward(view, &item->context, op->type->schema, item->inner.result,
					 before_of(op));
	op->private_out = item->inner.private_out;
	grid_problems_move(&op->problems, &item->inner.problems);
}

void grid_view_run(const struct grid_view *view, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct running *items = zp_calloc(count + 1, sizeof(*items));
	zp_autofree struct provider_operation **inner = zp_calloc(count + 1, sizeof(*inner));
	zp_autofree size_t *numbers = zp_calloc(count + 1, sizeof(*numbers));
	size_t started = 0;

	for (size_t i = 0; i < count; i++) {
		items[i].context = (struct grid_view_context){ .arena = ops[i]->arena,
			.pool = instance->environment->nodes };
		ops[i]->result = provider_is_object(ops[i]->prior) ?
					 ops[i]->prior :
					 provider_schema_null(ops[i]->type->schema);
	}
	find_networks(view, instance, items, ops, count);
	for (size_t i = 0; i < count; i++) {
		if (ops[i]->problems.errors)
			continue;
		begin(view, &items[i], ops[i]);
		numbers[started] = i;
		inner[started++] = &items[i].inner;
	}
	view->inner->run(instance, inner, started);
	for (size_t i = 0; i < started; i++)
		end(view, &items[numbers[i]], ops[numbers[i]]);
}
