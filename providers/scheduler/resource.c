/*
 * zos_scheduler: which nodes requests go to. As a resource it lives in the state and keeps its choice; as
 * a data source it chooses anew each time.
 */
#include <string.h>

#include "base/alloc.h"
#include "providers/builtin.h"
#include "providers/scheduler/request.h"
#include "providers/zos/object.h"

#define NODES                                                                                      \
	{                                                                                          \
		.name = "nodes", .type = "map(string)", .flags = PROVIDER_COMPUTED,                \
		.description = "Node of each request, by the request's name."                      \
	}

static struct provider_attribute attributes[] = { ZOS_ID, NODES };
static struct provider_attribute data_attributes[] = { NODES };

static struct provider_block blocks[] = {
	{ .name = "requests", .nesting = PROVIDER_LIST, .min = 1, .schema = &zos_request_schema },
};

static struct provider_schema schema = {
	.description = "Chooses nodes that have what is asked for, and keeps its choice.",
	.attributes = attributes,
	.attribute_count = ZP_ARRAY_SIZE(attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

static struct provider_schema data_schema = {
	.description = "Chooses nodes that have what is asked for, anew with every plan.",
	.attributes = data_attributes,
	.attribute_count = ZP_ARRAY_SIZE(data_attributes),
	.blocks = blocks,
	.block_count = ZP_ARRAY_SIZE(blocks),
};

/* Whether it asks for the same kind of node; of how much may differ, as workloads grow where they are. */
static bool same_kind(struct hcl_value before, struct hcl_value block)
{
	static const char *const names[] = { "farm_id", "public_config", "domain", "dedicated",
		"node_exclude", "labels", "distinct" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++)
		if (!hcl_value_identical(
			    provider_get(before, names[i]), provider_get(block, names[i])))
			return false;
	return true;
}

/* The node a request has and keeps. */
static bool keeps(struct hcl_value prior, struct hcl_value block, struct hcl_value *node)
{
	const char *name = provider_get_text(block, "name");
	struct hcl_value before, nodes = provider_get(prior, "nodes");

	return name && hcl_is_wholly_known(block) && nodes.state == HCL_KNOWN &&
		hcl_map_lookup(nodes, zp_str(name), node) &&
		zos_request_find(provider_get(prior, "requests"), name, &before) &&
		same_kind(before, block);
}

static void plan_nodes(struct provider_plan *plan)
{
	struct hcl_value requests = provider_get(plan->planned, "requests");
	struct hcl_value nodes = hcl_unknown(hcl_map_type(hcl_string));
	struct provider_builder builder;
	bool named = requests.state == HCL_KNOWN;

	if (plan->planned.state != HCL_KNOWN)
		return;
	for (uint32_t i = 0; named && i < requests.count; i++)
		named = provider_get_text(requests.elements[i], "name") != NULL;
	if (named && !zos_plan_is_new(plan)) {
		struct hcl_map_entry *entries =
			zp_new_array(plan->arena, struct hcl_map_entry, requests.count);
		for (uint32_t i = 0; i < requests.count; i++) {
			struct hcl_value block = requests.elements[i], node;
			entries[i].key = hcl_text(provider_get(block, "name"));
			entries[i].value = keeps(plan->prior, block, &node) ? node :
				hcl_unknown_not_null(hcl_string);
		}
		nodes = hcl_map_value(hcl_string, entries, requests.count);
	}
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "nodes", nodes);
	plan->planned = provider_built(&builder);
}

/* Requests whose node is gone, or no longer may have them, lose it: the plan then asks again. */
static void look(struct provider_instance *instance, struct provider_operation *op,
	const struct zos_fleet *fleet)
{
	struct hcl_value nodes = provider_get(op->prior, "nodes");
	struct hcl_value requests = provider_get(op->prior, "requests");
	struct provider_builder builder;
	size_t kept = 0;

	(void)instance;
	op->result = op->prior;
	if (nodes.state != HCL_KNOWN)
		return;
	struct hcl_map_entry *entries = zp_new_array(op->arena, struct hcl_map_entry, nodes.count);
	for (uint32_t i = 0; i < nodes.count; i++) {
		struct hcl_value block;
		const char *name = zp_arena_strndup(
			op->arena, nodes.entries[i].key.ptr, nodes.entries[i].key.len);
		const struct zos_fleet_node *node =
			zos_fleet_find(fleet, nodes.entries[i].value.text);
		if (!node || !zos_request_find(requests, name, &block))
			continue;
		struct zos_request request = zos_request_read(block);
		/* A node that does not answer is not one that is gone. */
		if (node->failure || zos_request_suits(&request, node, NULL))
			entries[kept++] = nodes.entries[i];
	}
	if (kept == nodes.count)
		return;
	provider_build(&builder, op->arena, op->type->schema, op->prior);
	provider_build_set(&builder, "nodes", hcl_map_value(hcl_string, entries, kept));
	op->result = provider_built(&builder);
}

static void choose(struct provider_instance *instance, struct provider_operation *op)
{
	struct provider_builder builder;
	struct hcl_value kept = provider_get(op->planned, "nodes");
	struct hcl_value nodes = zos_requests_schedule(instance, op, op->planned, kept);

	op->result = op->verb == PROVIDER_CREATE ? provider_schema_null(op->type->schema) : op->prior;
	if (nodes.state != HCL_KNOWN)
		return;
	provider_build(&builder, op->arena, op->type->schema, op->planned);
	provider_build_set(&builder, "nodes", nodes);
	provider_build_set(&builder, "id", hcl_string_cstr(op->arena, zos_identity(op)));
	op->result = provider_built(&builder);
}

static void run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	struct zos_fleet fleet = { 0 };
	bool asked = false;

	for (size_t i = 0; i < count; i++) {
		struct provider_operation *op = ops[i];
		if (op->verb == PROVIDER_CREATE || op->verb == PROVIDER_UPDATE) {
			choose(instance, op);
		} else if (op->verb == PROVIDER_READ) {
			if (!asked)
				zos_fleet_ask(&fleet, op->arena, instance->environment->nodes);
			asked = true;
			look(instance, op, &fleet);
		} else if (op->verb == PROVIDER_IMPORT) {
			provider_error(&op->problems, NULL, "A scheduler can not be imported",
				"It exists in the state alone: there is nothing to import.");
		} else {
			op->result = provider_schema_null(op->type->schema);
		}
	}
}

static void run_data(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct provider_operation *op = ops[i];
		struct provider_builder builder;
		struct hcl_value nodes = zos_requests_schedule(
			instance, op, op->config, hcl_null(hcl_dynamic));
		op->result = provider_schema_null(op->type->schema);
		if (nodes.state != HCL_KNOWN)
			continue;
		provider_build(&builder, op->arena, op->type->schema, op->config);
		provider_build_set(&builder, "nodes", nodes);
		op->result = provider_built(&builder);
	}
}

static const char *batch_key(const struct provider_operation *op)
{
	(void)op;
	return "schedulers";
}

const struct provider_resource_type provider_zos_scheduler = {
	.name = "zos_scheduler",
	.schema = &schema,
	.identity_attribute = "id",
	.in_process = true,
	.validate = zos_requests_validate,
	.plan = plan_nodes,
	.run = run,
	.batch_key = batch_key,
};

const struct provider_resource_type provider_zos_scheduler_data = {
	.name = "zos_scheduler",
	.schema = &data_schema,
	.validate = zos_requests_validate,
	.run = run_data,
};
