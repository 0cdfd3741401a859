#include "providers/zos/composite.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "providers/zos/object.h"

/* An operation and where it stands. */
struct work {
	struct zos_composition composition; /* its parts are those wanted, or when looking those found */
	struct zos_parts found;
	size_t required; /* so many of the first nodes must answer */
	bool ready, failed;
	bool remains; /* nodes may have done something of it */
	const char *network;
};

struct batch {
	const struct zos_composite *kind;
	struct provider_instance *instance;
	struct work *works;
	size_t count;
};

static const struct node_inventory *inventory_of(const struct zos_composition *composition)
{
	return node_pool_inventory(composition->instance->environment->nodes);
}

/* A node has a name and a number; here it is known by its name. */
static const char *node_name(const struct zos_composition *composition, const char *node)
{
	const struct node_entry *entry = node_inventory_find(inventory_of(composition), node);

	return entry ? entry->name : zp_arena_strdup(composition->arena, node);
}

void zos_composition_on(struct zos_composition *composition, const char *node)
{
	const char *name = node ? node_name(composition, node) : NULL;

	if (!name)
		return;
	for (size_t i = 0; i < composition->node_count; i++)
		if (strcmp(composition->nodes[i], name) == 0)
			return;
	const char **nodes = zp_new_array(composition->arena, const char *, composition->node_count + 1);
	for (size_t i = 0; i < composition->node_count; i++)
		nodes[i] = composition->nodes[i];
	nodes[composition->node_count++] = name;
	composition->nodes = nodes;
}

void zos_part_add(struct zos_composition *composition, const char *node, enum zos_stage stage,
	const char *workload, struct hcl_value values, const char *name_fmt, ...)
{
	struct zos_part *part = zp_vec_add(&composition->parts);
	va_list ap;

	va_start(ap, name_fmt);
	part->name = zp_arena_vformat(composition->arena, name_fmt, ap);
	va_end(ap);
	part->node = node_name(composition, node);
	part->stage = stage;
	part->workload = workload;
	part->values = values;
}

static struct zos_part *find_in(const struct zos_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->items[i].name, name) == 0)
			return &parts->items[i];
	return NULL;
}

const struct zos_part *zos_part_find(const struct zos_composition *composition, const char *name)
{
	return find_in(&composition->parts, name);
}

const char *zos_part_id(const struct zos_composition *composition, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *name = zp_arena_vformat(composition->arena, fmt, ap);
	va_end(ap);
	return zos_workload_id(composition->arena, composition->identity, name);
}

const struct zos_place *zos_composition_place(
	const struct zos_composition *composition, const char *node)
{
	const char *name = node ? node_name(composition, node) : "";

	for (size_t i = 0; composition->places && i < composition->node_count; i++)
		if (strcmp(composition->nodes[i], name) == 0)
			return composition->places[i].network ? &composition->places[i] : NULL;
	return NULL;
}

/* ---- works ---- */

static void parts_release(struct zos_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		cJSON_Delete(parts->items[i].spec);
		cJSON_Delete(parts->items[i].result);
	}
	zp_vec_release(parts);
}

static void report(struct work *work, const char *what, const char *part, struct zp_error *err)
{
	struct provider_operation *op = work->composition.op;
	zp_autofree char *summary = zp_format("%s %s failed", what, op->type->name);

	work->failed = true;
	if (part)
		zp_error_wrap(err, "%s", part);
	provider_error_from(&op->problems, NULL, summary, err);
}

/* NODE/IDENTITY, or where an object spans nodes its identity, which any of them may know. */
static bool take_import_id(struct work *work)
{
	struct zos_composition *c = &work->composition;
	const char *text = c->op->import_id ? c->op->import_id : "";
	const char *slash = strchr(text, '/');

	if (c->op->type->spans_nodes) {
		c->identity = text;
		return *text;
	}
	if (!slash || slash == text || !slash[1]) {
		provider_error(&c->op->problems, NULL, "Import id is not of the form NODE/ID",
			"\"%s\" should be the node's name or number, a slash, and the object's id on it.",
			text);
		return false;
	}
	c->identity = slash + 1;
	zos_composition_on(c, zp_arena_strndup(c->arena, text, (size_t)(slash - text)));
	return true;
}

/* Which nodes to ask. After a run that was killed nothing may name some of them: then all are asked. */
static void find_nodes(const struct batch *batch, struct work *work)
{
	struct zos_composition *c = &work->composition;
	const struct node_inventory *inventory = inventory_of(c);
	bool interrupted = c->op->verb == PROVIDER_RECOVER || c->op->verb == PROVIDER_IMPORT ||
			   (c->op->verb == PROVIDER_READ && provider_is_object(c->op->planned));

	if (provider_is_object(c->op->prior))
		batch->kind->nodes(c, c->op->prior);
	if (provider_is_object(c->op->planned))
		batch->kind->nodes(c, c->op->planned);
	work->required = c->node_count;
	if (!interrupted || !c->op->type->spans_nodes)
		return;
	for (size_t i = 0; i < inventory->count; i++)
		zos_composition_on(c, inventory->items[i].name);
	if (c->op->verb == PROVIDER_IMPORT)
		work->required = c->node_count;
}

static bool work_init(const struct batch *batch, struct work *work, struct provider_operation *op)
{
	struct zos_composition *c = &work->composition;

	*c = (struct zos_composition){ .instance = batch->instance, .op = op, .arena = op->arena };
	bool creates = op->verb == PROVIDER_CREATE || op->verb == PROVIDER_RECOVER ||
		       op->verb == PROVIDER_IMPORT;
	op->result = creates ? provider_schema_null(op->type->schema) : op->prior;
	c->identity = zos_identity(op);
	if (op->verb == PROVIDER_IMPORT && !take_import_id(work))
		return false;
	find_nodes(batch, work);
	if (c->identity && c->node_count)
		return true;
	if (op->verb != PROVIDER_RECOVER)
		provider_error(&op->problems, NULL, "Object without a node or an identity",
			"The state of this object lacks its id or its node, so that no node can be "
			"asked about it. Restore the state from a backup, or remove the object from it.");
	return false;
}

/* ---- looking ---- */

static enum zos_stage stage_of(const char *workload)
{
	if (strcmp(workload, "zmachine") == 0)
		return ZOS_STAGE_MACHINE;
	if (strcmp(workload, "zlogs") == 0)
		return ZOS_STAGE_ABOVE;
	return ZOS_STAGE_BASE;
}

static void take_reply(struct work *work, const char *node, cJSON *reply)
{
	struct zos_composition *c = &work->composition;
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(reply, "id"));
	const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(reply, "type"));
	size_t len = strlen(c->identity);
	const char *message;

	/* The object may have been removed while the node was answering. */
	if (!id || !type || strncmp(id, c->identity, len) != 0 || id[len] != '/' ||
		zos_presence(reply, &message) == ZOS_ABSENT)
		return;
	bool fine = zos_presence(reply, &message) == ZOS_OK;
	struct zos_part *part = zp_vec_add(&work->found);
	*part = (struct zos_part){ .node = node, .name = zp_arena_strdup(c->arena, id + len + 1),
		.workload = zp_arena_strdup(c->arena, type), .stage = stage_of(type),
		.spec = cJSON_DetachItemFromObject(reply, "spec"),
		.result = cJSON_DetachItemFromObject(reply, "result") };
	if (!fine)
		part->message = message ? zp_arena_strdup(c->arena, message) :
					  "the node does not say why";
}

static void take_replies(struct work *work, size_t node, struct zos_call *call, const char *what)
{
	cJSON *reply;

	cJSON_ArrayForEach (reply, call->result)
		take_reply(work, call->node, reply);
	if (!call->result && node < work->required)
		report(work, what, NULL, &call->error);
	cJSON_Delete(call->result);
	zp_error_clear(&call->error);
}

static cJSON *look_params(const struct work *work)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddItemToObject(
		params, "objects", cJSON_CreateStringArray(&work->composition.identity, 1));
	return params;
}

/* Finds what nodes have of the works, each node asked once. */
static void look(struct node_pool *pool, struct work *const *works, size_t count, const char *what)
{
	size_t total = 0, n = 0;

	for (size_t i = 0; i < count; i++)
		total += works[i]->composition.node_count;
	zp_autofree struct zos_call *calls = zp_calloc(total + 1, sizeof(*calls));
	zp_autofree cJSON **params = zp_calloc(count + 1, sizeof(cJSON *));
	for (size_t i = 0; i < count; i++) {
		params[i] = look_params(works[i]);
		for (size_t j = 0; j < works[i]->composition.node_count; j++)
			calls[n++] = (struct zos_call){ .node = works[i]->composition.nodes[j],
				.method = "workload.read", .params = params[i] };
	}
	zos_call_all(pool, calls, total);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < works[i]->composition.node_count; j++)
			take_replies(works[i], j, &calls[n++], what);
		cJSON_Delete(params[i]);
	}
}

static void add_trouble(struct zp_buf *message, const char *name, const char *what)
{
	zp_buf_printf(message, "%s%s: %s", message->len ? "; " : "", name, what);
}

/* What is wrong with the parts found, compared with those the values want. */
static void sum_up(const struct batch *batch, const struct work *work, struct hcl_value before,
	struct zp_buf *message, size_t *wanted_count)
{
	struct zos_composition wanted = work->composition;

	wanted.parts = (struct zos_parts){ 0 };
	if (provider_is_object(before))
		batch->kind->parts(&wanted, before);
	for (size_t i = 0; i < wanted.parts.count; i++)
		if (!find_in(&work->found, wanted.parts.items[i].name))
			add_trouble(message, wanted.parts.items[i].name, "missing on the node");
	for (size_t i = 0; i < work->found.count; i++) {
		const struct zos_part *part = &work->found.items[i];
		if (part->message)
			add_trouble(message, part->name, part->message);
		else if (provider_is_object(before) && !find_in(&wanted.parts, part->name))
			add_trouble(message, part->name, "left over");
	}
	*wanted_count = wanted.parts.count;
	parts_release(&wanted.parts);
}

static void fill(const struct batch *batch, struct work *work, struct hcl_value before,
	struct hcl_value status)
{
	struct zos_composition *c = &work->composition;
	struct provider_builder builder;

	provider_build(&builder, c->arena, c->op->type->schema,
		provider_is_object(before) ? before : c->op->type->schema->empty);
	provider_build_set(&builder, "id", hcl_string_cstr(c->arena, c->identity));
	provider_build_set(&builder, "status", status);
	batch->kind->fill(c, &builder, before);
	c->op->result = zos_built(&builder);
}

/* The nodes that have something, and those the values name: what else was asked is of no concern. */
static void drop_strangers(const struct batch *batch, struct work *work, struct hcl_value before)
{
	struct zos_composition *c = &work->composition;

	c->nodes = NULL;
	c->node_count = 0;
	if (provider_is_object(before))
		batch->kind->nodes(c, before);
	for (size_t i = 0; i < work->found.count; i++)
		zos_composition_on(c, work->found.items[i].node);
}

static void conclude(const struct batch *batch, struct work *work)
{
	struct provider_operation *op = work->composition.op;
	struct hcl_value before = op->verb == PROVIDER_RECOVER ? op->planned : op->prior;
	zp_autobuf message = ZP_BUF_INIT;
	size_t wanted;

	if (work->failed)
		return;
	drop_strangers(batch, work, before);
	sum_up(batch, work, before, &message, &wanted);
	if (!work->found.count) {
		/* An object of no parts at all is there as long as the state says so. */
		if (wanted || op->verb != PROVIDER_READ)
			op->result = provider_schema_null(op->type->schema);
		if (op->verb == PROVIDER_IMPORT)
			provider_error(&op->problems, NULL, "Cannot import what does not exist",
				"No node that was asked has anything of an object with the id %s.",
				work->composition.identity);
		return;
	}
	struct zos_parts none = work->composition.parts;
	work->composition.parts = work->found;
	fill(batch, work, before,
		zos_status(op->arena, message.len ? ZOS_DEGRADED : ZOS_OK, message.ptr));
	work->composition.parts = none;
}

static void look_all(const struct batch *batch)
{
	zp_autofree struct work **works = zp_calloc(batch->count + 1, sizeof(*works));
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->works[i].ready)
			works[count++] = &batch->works[i];
	look(batch->instance->environment->nodes, works, count, "Reading");
	for (size_t i = 0; i < count; i++)
		conclude(batch, works[i]);
}

/* ---- changing: what is asked of nodes ---- */

struct task {
	struct work *work;
	struct zos_part *part;
	cJSON *spec; /* NULL: it goes */
	cJSON *params;
	bool half_made; /* it is new, and could not be made: what there is of it goes */
};

ZP_VEC(tasks, struct task);

static void add_task(struct tasks *tasks, struct work *work, struct zos_part *part, cJSON *spec)
{
	struct zos_composition *c = &work->composition;
	const char *id = zos_workload_id(c->arena, c->identity, part->name);
	struct task task = { .work = work, .part = part, .spec = spec };

	task.params = spec ? zos_ensure_params(c->instance, c->op, id, part->workload, spec) :
			     node_remove_params(id);

	zp_vec_push(tasks, task);
}

static const char *doing(const struct work *work)
{
	switch (work->composition.op->verb) {
	case PROVIDER_CREATE:
		return "Creating";
	case PROVIDER_DELETE:
		return "Destroying";
	default:
		return "Updating";
	}
}

static void settle_task(struct task *task, struct zos_call *call)
{
	struct zos_part *part = task->part;

	if (!call->result) {
		/* Of a node that was lost on the way nobody knows what it did. */
		task->half_made = task->spec && !part->spec && !call->unsent;
		task->work->remains |= task->half_made && call->error.code == NODE_LOST;
		task->half_made &= call->error.code != NODE_LOST;
		report(task->work, doing(task->work), part->name, &call->error);
	} else if (task->spec) {
		task->work->remains = true;
		cJSON_Delete(part->spec);
		cJSON_Delete(part->result);
		part->spec = zp_steal(task->spec);
		part->result = zp_steal(call->result);
		part->message = NULL;
	} else {
		task->work->remains = true;
		cJSON_Delete(part->spec);
		part->spec = NULL;
	}
	cJSON_Delete(call->result);
	cJSON_Delete(task->spec);
	cJSON_Delete(task->params);
	zp_error_clear(&call->error);
}

/* A part that failed is not to come to life later, when nobody knows of it any more. */
static void remove_half_made(const struct batch *batch, const struct tasks *tasks)
{
	zp_autofree struct zos_call *calls = zp_calloc(tasks->count + 1, sizeof(*calls));
	zp_autofree struct work **works = zp_calloc(tasks->count + 1, sizeof(*works));
	size_t count = 0;

	for (size_t i = 0; i < tasks->count; i++) {
		const struct task *task = &tasks->items[i];
		const struct zos_composition *c = &task->work->composition;
		if (!task->half_made)
			continue;
		works[count] = task->work;
		calls[count++] = (struct zos_call){ .node = task->part->node,
			.method = "workload.remove",
			.params = node_remove_params(
				zos_workload_id(c->arena, c->identity, task->part->name)) };
	}
	zos_call_all(batch->instance->environment->nodes, calls, count);
	for (size_t i = 0; i < count; i++) {
		works[i]->remains |= !calls[i].result;
		cJSON_Delete((cJSON *)calls[i].params);
		cJSON_Delete(calls[i].result);
		zp_error_clear(&calls[i].error);
	}
}

/* All at once, one message per node. */
static void carry_out(const struct batch *batch, struct tasks *tasks)
{
	zp_autofree struct zos_call *calls = zp_calloc(tasks->count + 1, sizeof(*calls));

	for (size_t i = 0; i < tasks->count; i++)
		calls[i] = (struct zos_call){ .node = tasks->items[i].part->node,
			.method = tasks->items[i].spec ? "workload.ensure" : "workload.remove",
			.params = tasks->items[i].params };
	zos_call_all(batch->instance->environment->nodes, calls, tasks->count);
	for (size_t i = 0; i < tasks->count; i++)
		settle_task(&tasks->items[i], &calls[i]);
	remove_half_made(batch, tasks);
	zp_vec_release(tasks);
}

/* The part wanted in the place of one that was found: the same name on the same node. */
static struct zos_part *successor(const struct work *work, const struct zos_part *found)
{
	struct zos_part *part = find_in(&work->composition.parts, found->name);

	return part && strcmp(part->node, found->node) == 0 ? part : NULL;
}

static bool under_way(const struct work *work)
{
	return work->ready && !work->failed;
}

/* Removes what goes, or is made anew. Parts that were removed have no spec any more. */
static void remove_stage(const struct batch *batch, enum zos_stage stage)
{
	struct tasks tasks = { 0 };

	for (size_t i = 0; i < batch->count; i++) {
		struct work *work = &batch->works[i];
		for (size_t j = 0; under_way(work) && j < work->found.count; j++) {
			struct zos_part *part = &work->found.items[j];
			const struct zos_part *next = successor(work, part);
			if (part->stage == stage && (!next || next->replaced))
				add_task(&tasks, work, part, NULL);
		}
	}
	carry_out(batch, &tasks);
}

static void ensure_stage(const struct batch *batch, enum zos_stage stage)
{
	struct tasks tasks = { 0 };

	for (size_t i = 0; i < batch->count; i++) {
		struct work *work = &batch->works[i];
		struct zos_composition *c = &work->composition;
		for (size_t j = 0; under_way(work) && j < c->parts.count; j++) {
			struct zos_part *part = &c->parts.items[j];
			if (part->stage != stage)
				continue;
			cJSON *spec = batch->kind->spec(c, part);
			if (part->spec && !part->message && cJSON_Compare(part->spec, spec, true))
				cJSON_Delete(spec);
			else
				add_task(&tasks, work, part, spec);
		}
	}
	carry_out(batch, &tasks);
}

/* ---- changing: before and after ---- */

static const char *network_of(const struct batch *batch, const struct work *work)
{
	struct hcl_value planned = work->composition.op->planned;
	const char *name = batch->kind->network && provider_is_object(planned) ?
				   batch->kind->network(planned) :
				   NULL;

	return name && *name ? name : NULL;
}

/* Only where the object will be: a node it leaves need not have the network any more. */
static void only_planned_nodes(const struct batch *batch, struct zos_composition *c)
{
	c->nodes = NULL;
	c->node_count = 0;
	batch->kind->nodes(c, c->op->planned);
}

static void find_networks(const struct batch *batch)
{
	ZP_VEC(, struct zos_network_lookup) lookups = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct work *work = &batch->works[i];
		work->network = under_way(work) ? network_of(batch, work) : NULL;
		for (size_t j = 0; work->network && j < work->composition.node_count; j++) {
			struct zos_network_lookup lookup = {
				.node = work->composition.nodes[j], .name = work->network };
			zp_vec_push(&lookups, lookup);
		}
	}
	if (!lookups.count)
		return;
	zos_networks_find(batch->instance, batch->works[0].composition.arena, lookups.items,
		lookups.count);
	for (size_t i = 0; i < batch->count; i++) {
		struct work *work = &batch->works[i];
		struct zos_composition *c = &work->composition;
		if (!work->network)
			continue;
		struct zos_place *places = zp_new_array(c->arena, struct zos_place, c->node_count);
		for (size_t j = 0; j < c->node_count; j++, n++) {
			places[j] = (struct zos_place){ c->nodes[j], lookups.items[n].id,
				lookups.items[n].subnet };
			if (lookups.items[n].error.message)
				report(work, doing(work), NULL, &lookups.items[n].error);
		}
		c->places = places;
	}
	zp_vec_release(&lookups);
}

/* The parts wanted, each with what its node has of it already. */
static void compose(const struct batch *batch, struct work *work)
{
	struct zos_composition *c = &work->composition;

	batch->kind->parts(c, c->op->planned);
	for (size_t i = 0; i < work->found.count; i++) {
		struct zos_part *found = &work->found.items[i], *part = successor(work, found);
		if (!part)
			continue;
		part->spec = cJSON_Duplicate(found->spec, true);
		part->result = cJSON_Duplicate(found->result, true);
		part->message = found->message;
	}
	for (size_t i = 0; batch->kind->replaces && i < c->parts.count; i++) {
		struct zos_part *part = &c->parts.items[i];
		if (!part->spec || part->stage == ZOS_STAGE_BASE)
			continue;
		cJSON *spec = batch->kind->spec(c, part);
		part->replaced = batch->kind->replaces(c, part, part->spec, spec);
		cJSON_Delete(spec);
	}
}

/* What was removed to be made anew is not there any more. */
static void forget_replaced(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct zos_parts *parts = &batch->works[i].composition.parts;
		for (size_t j = 0; j < parts->count; j++) {
			if (!parts->items[j].replaced)
				continue;
			cJSON_Delete(parts->items[j].spec);
			parts->items[j].spec = NULL;
		}
	}
}

/* The state goes on to know of everything that may exist. */
static void settle_failure(const struct batch *batch, struct work *work)
{
	static const char *const unfinished = "degraded: the last change was not completed";
	struct zos_composition *c = &work->composition;
	struct hcl_value status = hcl_string_static(unfinished);
	struct work *works[] = { work };

	if (c->op->verb == PROVIDER_CREATE) {
		if (work->remains)
			fill(batch, work, c->op->planned, status);
		return;
	}
	/* Destroying: what is left is found by the object's identity. */
	if (c->op->verb == PROVIDER_DELETE || !work->remains)
		return;
	parts_release(&work->found);
	batch->kind->nodes(c, c->op->prior);
	work->required = 0;
	look(batch->instance->environment->nodes, works, 1, "Updating");
	struct zos_parts wanted = c->parts;
	c->parts = work->found;
	fill(batch, work, c->op->prior, status);
	c->parts = wanted;
}

static void settle(const struct batch *batch, struct work *work)
{
	struct provider_operation *op = work->composition.op;

	if (!work->ready)
		return;
	if (work->failed)
		settle_failure(batch, work);
	else if (op->verb == PROVIDER_DELETE)
		op->result = provider_schema_null(op->type->schema);
	else
		fill(batch, work, op->planned, hcl_string_static("ok"));
}

static void look_before(const struct batch *batch)
{
	zp_autofree struct work **works = zp_calloc(batch->count + 1, sizeof(*works));
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->works[i].ready &&
			batch->works[i].composition.op->verb != PROVIDER_CREATE)
			works[count++] = &batch->works[i];
	look(batch->instance->environment->nodes, works, count, "Preparing");
	for (size_t i = 0; i < batch->count; i++)
		if (batch->works[i].ready && provider_is_object(batch->works[i].composition.op->planned))
			only_planned_nodes(batch, &batch->works[i].composition);
}

static void change_all(const struct batch *batch)
{
	look_before(batch);
	find_networks(batch);
	for (size_t i = 0; i < batch->count; i++)
		if (under_way(&batch->works[i]) &&
			batch->works[i].composition.op->verb != PROVIDER_DELETE)
			compose(batch, &batch->works[i]);
	for (int stage = ZOS_STAGE_ABOVE; stage > ZOS_STAGE_BASE; stage--)
		remove_stage(batch, (enum zos_stage)stage);
	forget_replaced(batch);
	for (int stage = ZOS_STAGE_BASE; stage < ZOS_STAGES; stage++)
		ensure_stage(batch, (enum zos_stage)stage);
	remove_stage(batch, ZOS_STAGE_BASE);
	for (size_t i = 0; i < batch->count; i++)
		settle(batch, &batch->works[i]);
}

static bool only_looks(const struct provider_operation *op)
{
	return op->verb == PROVIDER_READ || op->verb == PROVIDER_RECOVER ||
	       op->verb == PROVIDER_IMPORT;
}

static void run_some(const struct zos_composite *kind, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count, bool looks)
{
	zp_autofree struct work *works = zp_calloc(count + 1, sizeof(*works));
	struct batch batch = { .kind = kind, .instance = instance, .works = works };

	for (size_t i = 0; i < count; i++) {
		if (only_looks(ops[i]) != looks)
			continue;
		struct work *work = &works[batch.count++];
		work->ready = work_init(&batch, work, ops[i]);
	}
	if (batch.count && looks)
		look_all(&batch);
	else if (batch.count)
		change_all(&batch);
	for (size_t i = 0; i < batch.count; i++) {
		parts_release(&works[i].found);
		parts_release(&works[i].composition.parts);
	}
}

void zos_composite_run(const struct zos_composite *kind, struct provider_instance *instance,
	struct provider_operation *const *ops, size_t count)
{
	run_some(kind, instance, ops, count, true);
	run_some(kind, instance, ops, count, false);
}
