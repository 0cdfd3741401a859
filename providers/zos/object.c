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
	for (size_t i = 0; i < inventory->count && i < shown; i++)
		zp_buf_printf(out, "%s\"%s\"", i ? ", " : "", inventory->items[i].name);
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
		if (!hcl_is_wholly_known(builder->elements[i]))
			builder->elements[i] = hcl_null(builder->elements[i].type);
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

static void create(const struct batch *batch, struct provider_operation *op, const char *node,
	const char *id, const char *identity)
{
	const struct zos_kind *kind = batch->kind;
	struct node_client *client = zos_client(batch->instance, op, node);
	if (!client)
		return;
	zp_autoerror err = ZP_ERROR_INIT;
	cJSON *spec = kind->spec(op->arena, op->planned);
	cJSON *result = zos_ensure(batch->instance, op, client, id, kind->workload, spec, &err);
	if (result)
		op->result = object_from(kind, op, op->planned, node, identity, spec, result,
			hcl_string_static("ok"));
	else if (!undo_create(client, id, &err))
		op->result = object_from(kind, op, op->planned, node, identity, NULL, NULL,
			hcl_string_static("degraded: not completely made"));
	cJSON_Delete(result);
	cJSON_Delete(spec);
	if (err.message)
		report(op, "Creating", &err);
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

static void update(const struct batch *batch, struct provider_operation *op, const char *node,
	const char *id, const char *identity)
{
	const struct zos_kind *kind = batch->kind;
	op->result = op->prior;
	struct node_client *client = zos_client(batch->instance, op, node);
	if (!client)
		return;
	zp_autoerror err = ZP_ERROR_INIT;
	cJSON *spec = kind->spec(op->arena, op->planned);
	cJSON *result = zos_ensure(batch->instance, op, client, id, kind->workload, spec, &err);
	if (result) {
		op->result = object_from(kind, op, op->planned, node, identity, spec, result,
			hcl_string_static("ok"));
	} else {
		look_after_failure(batch, op, node, id, identity);
		report(op, "Updating", &err);
	}
	cJSON_Delete(result);
	cJSON_Delete(spec);
}

static void delete (
	const struct batch *batch, struct provider_operation *op, const char *node, const char *id)
{
	op->result = op->prior;
	struct node_client *client = zos_client(batch->instance, op, node);
	if (!client)
		return;
	zp_autoerror err = ZP_ERROR_INIT;
	if (node_remove(client, id, &err) < 0)
		report(op, "Destroying", &err);
	else
		op->result = provider_schema_null(op->type->schema);
}

static void change_one(void *data, size_t index)
{
	const struct batch *batch = data;
	struct provider_operation *op = batch->ops[index];
	const char *node = zos_object_node(op), *identity = zos_identity(op);
	op->result = provider_schema_null(op->type->schema);
	if (!node || !identity) {
		provider_error(&op->problems, NULL, "Object without a node or an identity",
			"The state of this object lacks its id or its node, so that no node can be "
			"asked "
			"about it. Restore the state from a backup, or remove the object from it.");
		return;
	}
	const char *id = zos_workload_id(op->arena, identity, batch->kind->part);
	if (op->verb == PROVIDER_CREATE)
		create(batch, op, node, id, identity);
	else if (op->verb == PROVIDER_UPDATE)
		update(batch, op, node, id, identity);
	else
		delete (batch, op, node, id);
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
	zos_parallel(changes.count, change_one, &changes);
}
