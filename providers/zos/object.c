#include "providers/zos/object.h"

#include <stdlib.h>

#include "base/alloc.h"

struct batch {
	const struct zos_kind *kind;
	struct provider_instance *instance;
	struct provider_operation **ops;
	size_t count;
};

bool zos_plan_is_new(const struct provider_plan *plan)
{
	return plan->prior.state != HCL_KNOWN || plan->replace_count;
}

void zos_plan_status(struct provider_plan *plan)
{
	struct provider_builder builder;
	if (plan->planned.state != HCL_KNOWN)
		return;
	provider_build(&builder, plan->arena, plan->type->schema, plan->planned);
	provider_build_set(&builder, "status", hcl_string_static("ok"));
	plan->planned = provider_built(&builder);
}

static void list_nodes(const struct node_inventory *inventory, struct zp_buf *out)
{
	const size_t shown = 20;
	for (size_t i = 0; i < inventory->count && i < shown; i++) {
		const struct node_entry *entry = &inventory->items[i];
		zp_buf_printf(out, "%s\"%s\"", i ? ", " : "", entry->name);
		if (entry->id)
			zp_buf_printf(out, " (%lld)", (long long)entry->id);
	}
	if (inventory->count > shown)
		zp_buf_printf(out, " and %zu more", inventory->count - shown);
}

void zos_plan_node(struct provider_plan *plan, const char *attribute, const char *node)
{
	if (!node || !plan->instance || !plan->instance->environment ||
		!plan->instance->environment->nodes)
		return;
	const struct node_inventory *inventory =
		node_pool_inventory(plan->instance->environment->nodes);
	if (node_inventory_find(inventory, node))
		return;
	if (!inventory->path) {
		provider_error(&plan->problems, attribute, "No inventory of nodes",
			"Node \"%s\" is asked for, but there is no inventory that says where it "
			"is. "
			"Name one with -nodes=FILE or ZPLAN_NODES, put a nodes.hcl into this "
			"folder, or "
			"make nodes on this machine with \"zplan sandbox up\".",
			node);
		return;
	}
	zp_autobuf names = ZP_BUF_INIT;
	list_nodes(inventory, &names);
	provider_error(&plan->problems, attribute, "No such node",
		"The inventory %s has no node \"%s\". It has: %s.", inventory->path, node,
		names.len ? names.ptr : "none at all");
}

void zos_object_plan(struct provider_plan *plan)
{
	zos_plan_status(plan);
	if (zos_plan_is_new(plan))
		zos_plan_node(plan, "node", provider_get_text(plan->planned, "node"));
}

const char *zos_identity(const struct provider_operation *op)
{
	const char *id = provider_get_text(op->prior, "id");
	return id ? id : op->identity;
}

const char *zos_object_node(const struct provider_operation *op)
{
	const char *node = provider_get_text(op->prior, "node");
	return node ? node : provider_get_text(op->planned, "node");
}

struct hcl_value zos_status(struct zp_arena *arena, enum zos_presence presence, const char *message)
{
	if (presence == ZOS_OK)
		return hcl_string_static("ok");
	return hcl_string_cstr(arena, zp_arena_format(arena, "degraded: %s",
					      message ? message : "the node does not say why"));
}

struct hcl_value zos_built(const struct provider_builder *builder)
{
	for (uint32_t i = 0; i < builder->schema->type->count; i++)
		builder->elements[i] = hcl_unknown_to_null(builder->arena, builder->elements[i]);
	return provider_built(builder);
}

static struct hcl_value object_from(const struct zos_kind *kind, struct provider_operation *op,
	struct hcl_value before, const char *node, const char *identity, const cJSON *spec,
	const cJSON *result, struct hcl_value status)
{
	static const cJSON nothing = { .type = cJSON_Object };
	struct provider_builder builder;
	provider_build(&builder, op->arena, op->type->schema, before);
	provider_build_set(&builder, "id", hcl_string_cstr(op->arena, identity));
	provider_build_set(&builder, "node", hcl_string_cstr(op->arena, node));
	provider_build_set(&builder, "status", status);
	if (cJSON_IsObject(spec))
		kind->fill(&builder, before, spec, cJSON_IsObject(result) ? result : &nothing);
	return zos_built(&builder);
}

static struct hcl_value object_from_reply(const struct zos_kind *kind,
	struct provider_operation *op, struct hcl_value before, const struct zos_query *query,
	const char *identity)
{
	const char *message;
	enum zos_presence presence = zos_presence(query->reply, &message);
	if (presence == ZOS_ABSENT)
		return provider_schema_null(op->type->schema);
	return object_from(kind, op, before, query->node, identity,
		cJSON_GetObjectItem(query->reply, "spec"),
		cJSON_GetObjectItem(query->reply, "result"),
		zos_status(op->arena, presence, message));
}

static void report(struct provider_operation *op, const char *what, struct zp_error *err)
{
	zp_autofree char *summary = zp_format("%s %s failed", what, op->type->name);
	provider_error_from(&op->problems, NULL, summary, err);
}

/* Nothing may be left of an object that nobody will remember. Returns whether nothing is. */
static bool undo_create(struct node_client *client, const char *id, const struct zp_error *why)
{
	if (why->code == NODE_LOST)
		return false;
	if (!node_remove(client, id, NULL))
		return true;
	return why->code == NODE_E_INVALID || why->code == NODE_E_CAPACITY ||
	       why->code == NODE_E_DENIED;
}

/* What the object is after an update that failed. */
static void look_after_failure(const struct batch *batch, struct provider_operation *op,
	const char *node, const char *id, const char *identity)
{
	struct zos_query query = { .node = node, .id = id };
	zos_query_all(batch->instance->environment->nodes, &query, 1);
	op->result = query.reply ? object_from_reply(batch->kind, op, op->prior, &query, identity)
				 : op->prior;
	zos_query_release(&query);
}

/* A change of one object: what is asked of its node, and what comes of it. */
struct change {
	struct provider_operation *op;
	const char *node, *id, *identity;
	cJSON *spec, *params; /* spec: NULL when the object goes */
	struct zos_call *call;
};

struct changes {
	const struct batch *batch;
	struct change *items;
};

/* False when nothing can be asked. */
static bool prepare(const struct batch *batch, struct provider_operation *op, struct change *change)
{
	*change = (struct change){
		.op = op, .node = zos_object_node(op), .identity = zos_identity(op)
	};
	op->result = op->verb == PROVIDER_CREATE ? provider_schema_null(op->type->schema) : op->prior;
	if (!change->node || !change->identity) {
		provider_error(&op->problems, NULL, "Object without a node or an identity",
			"The state of this object lacks its id or its node, so that no node can be "
			"asked "
			"about it. Restore the state from a backup, or remove the object from it.");
		return false;
	}
	change->id = zos_workload_id(op->arena, change->identity, batch->kind->part);
	if (op->verb == PROVIDER_DELETE) {
		change->params = node_remove_params(change->id);
		return true;
	}
	change->spec = batch->kind->spec(op->arena, op->planned);
	change->params = zos_ensure_params(
		batch->instance, op, change->id, batch->kind->workload, change->spec);
	return true;
}

static void settle_failure(const struct batch *batch, struct change *change)
{
	struct provider_operation *op = change->op;
	struct zp_error *err = &change->call->error;

	if (change->call->unsent) {
		provider_error_from(&op->problems, NULL, "Node is out of reach", err);
	} else if (op->verb == PROVIDER_DELETE) {
		report(op, "Destroying", err);
	} else if (op->verb == PROVIDER_UPDATE) {
		look_after_failure(batch, op, change->node, change->id, change->identity);
		report(op, "Updating", err);
	} else {
		struct node_client *client =
			node_pool_get(batch->instance->environment->nodes, change->node, NULL);
		if (!client || !undo_create(client, change->id, err))
			op->result = object_from(batch->kind, op, op->planned, change->node,
				change->identity, NULL, NULL,
				hcl_string_static("degraded: not completely made"));
		report(op, "Creating", err);
	}
}

static void settle(void *data, size_t index)
{
	const struct changes *changes = data;
	struct change *change = &changes->items[index];
	struct provider_operation *op = change->op;

	if (!change->call->result)
		settle_failure(changes->batch, change);
	else if (op->verb == PROVIDER_DELETE)
		op->result = provider_schema_null(op->type->schema);
	else
		op->result = object_from(changes->batch->kind, op, op->planned, change->node,
			change->identity, change->spec, change->call->result,
			hcl_string_static("ok"));
	cJSON_Delete(change->call->result);
	cJSON_Delete(change->params);
	cJSON_Delete(change->spec);
	zp_error_clear(&change->call->error);
}

/* One message per node for all of them. */
static void change_all(const struct batch *batch)
{
	zp_autofree struct change *items = zp_calloc(batch->count + 1, sizeof(*items));
	zp_autofree struct zos_call *calls = zp_calloc(batch->count + 1, sizeof(*calls));
	struct changes changes = { batch, items };
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		if (!prepare(batch, batch->ops[i], &items[count]))
			continue;
		items[count].call = &calls[count];
		calls[count] = (struct zos_call){ .node = items[count].node,
			.method = items[count].spec ? "workload.ensure" : "workload.remove",
			.params = items[count].params };
		count++;
	}
	zos_call_all(batch->instance->environment->nodes, calls, count);
	zos_parallel(count, settle, &changes);
}

/* An import names the object as NODE/ID. */
static bool split_import_id(struct provider_operation *op, const char **node, const char **identity)
{
	const char *text = op->import_id ? op->import_id : "";
	const char *slash = strchr(text, '/');
	if (!slash || slash == text || !slash[1]) {
		provider_error(&op->problems, NULL, "Import id is not of the form NODE/ID",
			"\"%s\" should be the node's name, a slash, and the object's id on it, as "
			"in "
			"\"n1/0b8c7c1e-6f0e-4a7b-9a52-0a8f4a9d6d3b\".",
			text);
		return false;
	}
	*node = zp_arena_strndup(op->arena, text, (size_t)(slash - text));
	*identity = slash + 1;
	return true;
}

struct question {
	struct provider_operation *op;
	struct hcl_value before;
	const char *identity;
};

/* False when the answer is clear already. */
static bool pose(struct provider_operation *op, const struct zos_kind *kind,
	struct question *question, struct zos_query *query)
{
	question->op = op;
	question->before = op->verb == PROVIDER_READ	  ? op->prior
			   : op->verb == PROVIDER_RECOVER ? op->planned
							  : op->type->schema->empty;
	if (!provider_is_object(question->before))
		question->before = op->type->schema->empty;
	op->result = op->verb == PROVIDER_READ ? op->prior : provider_schema_null(op->type->schema);
	if (op->verb == PROVIDER_IMPORT) {
		if (!split_import_id(op, &query->node, &question->identity))
			return false;
	} else {
		query->node = zos_object_node(op);
		question->identity = zos_identity(op);
	}
	if (!query->node || !question->identity)
		return false;
	query->id = zos_workload_id(op->arena, question->identity, kind->part);
	return true;
}

static void answer(
	const struct batch *batch, const struct question *question, struct zos_query *query)
{
	struct provider_operation *op = question->op;
	if (!query->reply) {
		report(op, "Reading", &query->error);
		return;
	}
	op->result =
		object_from_reply(batch->kind, op, question->before, query, question->identity);
	if (op->result.state == HCL_KNOWN)
		return;
	if (op->verb == PROVIDER_IMPORT)
		provider_error(&op->problems, NULL, "Cannot import what does not exist",
			"Node %s has no %s with the id %s.", query->node, batch->kind->workload,
			question->identity);
}

static void look_at_all(struct batch *batch)
{
	if (!batch->count)
		return;
	zp_autofree struct question *questions = zp_calloc(batch->count, sizeof(*questions));
	zp_autofree struct zos_query *queries = zp_calloc(batch->count, sizeof(*queries));
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++)
		if (pose(batch->ops[i], batch->kind, &questions[count], &queries[count]))
			count++;
		else
			memset(&queries[count], 0, sizeof(*queries));
	zos_query_all(batch->instance->environment->nodes, queries, count);
	for (size_t i = 0; i < count; i++) {
		answer(batch, &questions[i], &queries[i]);
		zos_query_release(&queries[i]);
	}
}

static bool only_looks(const struct provider_operation *op)
{
	return op->verb == PROVIDER_READ || op->verb == PROVIDER_RECOVER ||
	       op->verb == PROVIDER_IMPORT;
}

void zos_object_run(const struct zos_kind *kind, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct provider_operation **list = zp_calloc(count + 1, sizeof(*list));
	struct batch looks = { .kind = kind, .instance = instance, .ops = list };
	for (size_t i = 0; i < count; i++)
		if (only_looks(ops[i]))
			looks.ops[looks.count++] = ops[i];
	struct batch changes = { .kind = kind, .instance = instance, .ops = list + looks.count };
	for (size_t i = 0; i < count; i++)
		if (!only_looks(ops[i]))
			changes.ops[changes.count++] = ops[i];
	look_at_all(&looks);
	change_all(&changes);
}
