#include "providers/network/run.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "providers/network/laptop.h"
#include "providers/network/members.h"
#include "providers/network/reach.h"
#include "providers/zos/object.h"

bool zos_network_same_node(const struct node_inventory *inventory, struct zp_str a, struct zp_str b)
{
	if (zp_str_equal(a, b))
		return true;
	zp_autofree char *a_text = zp_strndup(a.ptr, a.len);
	zp_autofree char *b_text = zp_strndup(b.ptr, b.len);
	const struct node_entry *entry = node_inventory_find(inventory, a_text);
	return entry && entry == node_inventory_find(inventory, b_text);
}

struct hcl_value zos_network_former_subnets(struct zp_arena *arena,
	const struct node_inventory *inventory, struct hcl_value prior, struct hcl_value nodes)
{
	struct hcl_value subnets = provider_get(prior, "subnets");
	if (subnets.state != HCL_KNOWN || !hcl_is_wholly_known(nodes) || nodes.state != HCL_KNOWN)
		return subnets;
	struct hcl_map_entry *entries = zp_new_array(arena, struct hcl_map_entry, subnets.count);
	for (uint32_t i = 0; i < subnets.count; i++) {
		entries[i] = subnets.entries[i];
		for (uint32_t j = 0; j < nodes.count; j++)
			if (zos_network_same_node(
				    inventory, entries[i].key, hcl_text(nodes.elements[j])))
				entries[i].key = hcl_text(nodes.elements[j]);
	}
	return hcl_map_value(hcl_string, entries, subnets.count);
}

/* One node's part in an operation. */
struct part {
	const char *node;
	struct zos_query query;
	struct zp_error error;
	cJSON *params; /* of the call under way */
	bool remains;  /* its workload may still be there */
};

/* An operation under way. Members and parts come in the order of the planned nodes. */
struct work {
	struct provider_instance *instance;
	struct provider_operation *op;
	const char *id; /* of the workload, the same on every node */
	const char *ip_range;
	struct zos_member *members;
	struct part *parts;
	const struct zos_member *laptop; /* NULL: none has access */
	size_t count;
	size_t planned;	 /* when looking: so many of the first are in the network as planned */
	size_t required; /* and so many must answer */
};

static struct node_pool *pool_of(const struct work *work)
{
	return work->instance->environment->nodes;
}

static void report(struct provider_operation *op, const char *what, struct zp_error *err)
{
	zp_autofree char *summary = zp_format("%s %s failed", what, op->type->name);
	provider_error_from(&op->problems, NULL, summary, err);
}

/* The first error of the parts becomes the operation's; the others follow it as problems of their
 * own. */
static bool report_parts(struct work *work, const char *what)
{
	bool failed = false;
	for (size_t i = 0; i < work->count; i++) {
		if (!work->parts[i].error.message)
			continue;
		failed = true;
		report(work->op, what, &work->parts[i].error);
	}
	return failed;
}

static void set_nodes(struct work *work, struct hcl_value nodes)
{
	struct zp_arena *arena = work->op->arena;
	work->count = nodes.state == HCL_KNOWN ? nodes.count : 0;
	work->parts = zp_new_array(arena, struct part, work->count);
	work->members = zp_new_array(arena, struct zos_member, work->count);
	for (size_t i = 0; i < work->count; i++) {
		work->parts[i].node = work->members[i].node = nodes.elements[i].text;
		work->parts[i].query.node = nodes.elements[i].text;
		work->parts[i].query.id = work->id;
	}
}

static bool work_init(
	struct work *work, struct provider_instance *instance, struct provider_operation *op)
{
	const char *identity = zos_identity(op);
	*work = (struct work){ .instance = instance, .op = op };
	if (!identity) {
		provider_error(&op->problems, NULL, "Network without an identity",
			"The state of this network lacks its id, so that no node can be asked "
			"about it. "
			"Restore the state from a backup, or remove the network from it.");
		return false;
	}
	work->id = zos_workload_id(op->arena, identity, "net");
	return true;
}

/* --- looking --- */

static const char *identity_of(const struct work *work)
{
	return zp_arena_strndup(work->op->arena, work->id, strlen(work->id) - strlen("/net"));
}

/* What the parts' replies say together: their status, and the subnets of those that have one. */
static enum zos_presence sum_up(const struct work *work, struct zp_buf *message,
	struct hcl_map_entry *subnets, size_t *subnet_count)
{
	struct zp_arena *arena = work->op->arena;
	size_t absent = 0;
	bool degraded = false;
	for (size_t i = 0; i < work->count; i++) {
		const struct part *part = &work->parts[i];
		const char *text;
		enum zos_presence presence = zos_presence(part->query.reply, &text);
		const cJSON *spec = cJSON_GetObjectItem(part->query.reply, "spec");
		struct hcl_value subnet = zos_json_text(arena, spec, "subnet");
		if (subnet.state == HCL_KNOWN) {
			subnets[*subnet_count].key = zp_arena_str(arena, zp_str(part->node));
			subnets[(*subnet_count)++].value = subnet;
		}
		if (presence == ZOS_OK)
			continue;
		degraded = true;
		absent += presence == ZOS_ABSENT;
		zp_buf_printf(message, "%s%s: %s", message->len ? "; " : "", part->node,
			presence == ZOS_ABSENT ? "missing on the node"
			: text		       ? text
					       : "the node does not say why");
	}
	if (absent == work->count)
		return ZOS_ABSENT;
	return degraded ? ZOS_DEGRADED : ZOS_OK;
}

static struct hcl_value names_of_parts(const struct work *work)
{
	struct zp_arena *arena = work->op->arena;
	struct hcl_value *names = zp_new_array(arena, struct hcl_value, work->count);
	for (size_t i = 0; i < work->count; i++)
		names[i] = hcl_string_cstr(arena, work->parts[i].node);
	return hcl_set_value(hcl_string, names, work->count);
}

static void conclude(struct work *work, struct hcl_value before)
{
	struct provider_operation *op = work->op;
	struct provider_builder builder;
	zp_autobuf message = ZP_BUF_INIT;
	size_t subnet_count = 0;
	struct hcl_map_entry *subnets = zp_new_array(op->arena, struct hcl_map_entry, work->count);
	enum zos_presence presence = sum_up(work, &message, subnets, &subnet_count);
	op->result = provider_schema_null(op->type->schema);
	if (presence == ZOS_ABSENT)
		return;
	provider_build(&builder, op->arena, op->type->schema, before);
	provider_build_set(&builder, "id", hcl_string_cstr(op->arena, identity_of(work)));
	provider_build_set(&builder, "status", zos_status(op->arena, presence, message.ptr));
	for (size_t i = 0; i < work->count; i++) {
		const cJSON *spec = cJSON_GetObjectItem(work->parts[i].query.reply, "spec");
		struct hcl_value range = zos_json_text(op->arena, spec, "ip_range");
		if (range.state == HCL_KNOWN)
			provider_build_set(&builder, "ip_range", range);
		if (op->verb == PROVIDER_IMPORT)
			provider_build_set(
				&builder, "name", zos_json_text(op->arena, spec, "name"));
	}
	provider_build_set(&builder, "nodes", names_of_parts(work));
	/* An import can not have the laptop's key: who wants access gets a new one. */
	if (!provider_has(before, "add_wg_access"))
		provider_build_set(&builder, "add_wg_access", hcl_bool_value(false));
	if (subnet_count == work->count || !provider_has(before, "subnets"))
		provider_build_set(
			&builder, "subnets", hcl_map_value(hcl_string, subnets, subnet_count));
	op->result = zos_built(&builder);
}

/* The nodes of a that are not in b. */
static struct hcl_value nodes_without(
	const struct work *work, struct hcl_value a, struct hcl_value b)
{
	size_t count = 0;
	struct zp_arena *arena = work->op->arena;
	const struct node_inventory *inventory = node_pool_inventory(pool_of(work));
	struct hcl_value *names = zp_new_array(arena, struct hcl_value, a.count);
	for (uint32_t i = 0; a.state == HCL_KNOWN && i < a.count; i++) {
		bool found = false;
		for (uint32_t j = 0; b.state == HCL_KNOWN && j < b.count; j++)
			found |= zos_network_same_node(
				inventory, hcl_text(a.elements[i]), hcl_text(b.elements[j]));
		if (!found)
			names[count++] = a.elements[i];
	}
	return hcl_set_value(hcl_string, names, count);
}

static struct hcl_value inventory_names(struct zp_arena *arena, struct node_pool *pool)
{
	const struct node_inventory *inventory = node_pool_inventory(pool);
	struct hcl_value *names = zp_new_array(arena, struct hcl_value, inventory->count);
	for (size_t i = 0; i < inventory->count; i++)
		names[i] = hcl_string_cstr(arena, inventory->items[i].name);
	return hcl_list_value(hcl_string, names, inventory->count);
}

/* a, and what of b is not in it, in this order. */
static struct hcl_value nodes_joined(
	const struct work *work, struct hcl_value a, struct hcl_value b)
{
	struct zp_arena *arena = work->op->arena;
	struct hcl_value rest = nodes_without(work, b, a);
	size_t first = a.state == HCL_KNOWN ? a.count : 0;
	struct hcl_value *names = zp_new_array(arena, struct hcl_value, first + rest.count);
	for (size_t i = 0; i < first + rest.count; i++)
		names[i] = i < first ? a.elements[i] : rest.elements[i - first];
	return hcl_list_value(hcl_string, names, first + rest.count);
}

/*
 * Which nodes to ask: those the network is on. After a run that was killed (the operation then has
 * planned values) it may have parts on others too, which nothing names: then every node there is is
 * asked.
 */
static void set_nodes_to_ask(struct work *work)
{
	struct provider_operation *op = work->op;
	struct hcl_value nodes = provider_get(op->prior, "nodes");
	struct hcl_value others = provider_get(op->planned, "nodes");
	struct hcl_value all = inventory_names(op->arena, pool_of(work));
	if (op->verb == PROVIDER_READ && !provider_is_object(op->planned)) {
		set_nodes(work, nodes);
		work->planned = work->required = work->count;
		return;
	}
	if (op->verb == PROVIDER_IMPORT) {
		set_nodes(work, all);
		work->required = work->count;
		return;
	}
	if (op->verb == PROVIDER_RECOVER) {
		nodes = others;
		others = provider_get(op->prior, "nodes");
	}
	nodes = nodes_joined(work, nodes, hcl_null(hcl_dynamic));
	others = nodes_joined(work, nodes, others);
	set_nodes(work, nodes_joined(work, others, all));
	work->planned = nodes.count;
	work->required = others.count;
}

/* False when the answer is clear without asking. */
static bool look_init(
	struct work *work, struct provider_instance *instance, struct provider_operation *op)
{
	op->result = op->verb == PROVIDER_READ ? op->prior : provider_schema_null(op->type->schema);
	if (op->verb == PROVIDER_IMPORT) {
		*work = (struct work){ .instance = instance, .op = op };
		work->id = zos_workload_id(op->arena, op->import_id ? op->import_id : "", "net");
	} else if (!work_init(work, instance, op)) {
		return false;
	}
	set_nodes_to_ask(work);
	return work->count > 0;
}

/* Of nodes that nobody said are in the network only those count that know of it. */
static void drop_strangers(struct work *work)
{
	size_t kept = work->planned;
	for (size_t i = work->planned; i < work->count; i++) {
		const char *message;
		struct part *part = &work->parts[i];
		if (part->query.reply && zos_presence(part->query.reply, &message) != ZOS_ABSENT)
			work->parts[kept++] = *part;
		else
			zos_query_release(&part->query);
	}
	work->count = kept;
}

static bool report_unanswered(struct work *work)
{
	bool failed = false;
	for (size_t i = 0; i < work->required; i++) {
		if (work->parts[i].query.reply)
			continue;
		failed = true;
		report(work->op, "Reading", &work->parts[i].query.error);
	}
	return failed;
}

static void look_finish(struct work *work)
{
	struct provider_operation *op = work->op;
	struct hcl_value before = op->verb == PROVIDER_RECOVER ? op->planned : op->prior;
	if (report_unanswered(work))
		return;
	drop_strangers(work);
	if (!provider_is_object(before))
		before = provider_is_object(op->prior) ? op->prior : op->type->schema->empty;
	conclude(work, before);
	if (op->verb == PROVIDER_IMPORT && op->result.state != HCL_KNOWN)
		provider_error(&op->problems, NULL, "Cannot import what does not exist",
			"No node of the inventory has a network with the id %s.",
			op->import_id ? op->import_id : "");
}

/* All parts of all networks in one go, so that each node hears once. */
static void look_at_all(struct work *works, size_t count)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < count; i++)
		total += works[i].count;
	if (!total)
		return;
	zp_autofree struct zos_query *queries = zp_calloc(total, sizeof(*queries));
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < works[i].count; j++)
			queries[n++] = works[i].parts[j].query;
	zos_query_all(pool_of(&works[0]), queries, total);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < works[i].count; j++)
			works[i].parts[j].query = queries[n++];
		look_finish(&works[i]);
		for (size_t j = 0; j < works[i].count; j++)
			zos_query_release(&works[i].parts[j].query);
	}
}

/* --- changing --- */

/* Keys and ports of nodes that are in the network already, new ones for those that join. */
static void take_secrets(struct zos_member *member, const cJSON *reply)
{
	const cJSON *spec = cJSON_GetObjectItem(reply, "spec");
	const char *key = cJSON_GetStringValue(cJSON_GetObjectItem(spec, "wireguard_private_key"));
	if (!zos_member_take_key(member, key))
		zos_member_new_key(member);
	member->port = (int)zos_json_int(spec, "wireguard_listen_port", 0);
}

static void prepare_member(void *data, size_t index)
{
	struct work *work = data;
	struct zos_member *member = &work->members[index];
	struct part *part = &work->parts[index];
	struct node_client *client = node_pool_get(pool_of(work), member->node, &part->error);
	if (!client)
		return;
	zos_member_ask(member, client, work->id, &part->error);
}

/* A network of one node without access needs no tunnels, hence no keys and ports. */
static bool prepare_members(struct work *work)
{
	struct provider_operation *op = work->op;
	zp_autoerror err = ZP_ERROR_INIT;
	if (work->count < 2 && !work->laptop)
		return true;
	zp_autofree struct zos_query *queries = zp_calloc(work->count, sizeof(*queries));
	for (size_t i = 0; i < work->count; i++)
		queries[i] = work->parts[i].query;
	zos_query_all(pool_of(work), queries, work->count);
	for (size_t i = 0; i < work->count; i++) {
		if (queries[i].reply)
			take_secrets(&work->members[i], queries[i].reply);
		else
			zp_error_set(&work->parts[i].error, "%s", zp_error_text(&queries[i].error));
		zos_query_release(&queries[i]);
	}
	if (report_parts(work, "Preparing"))
		return false;
	zos_parallel(work->count, prepare_member, work);
	if (report_parts(work, "Preparing"))
		return false;
	if (zos_members_check(work->members, work->count, work->laptop, &err) < 0) {
		provider_error_from(&op->problems, "nodes", "Nodes can not reach each other", &err);
		return false;
	}
	return true;
}

/* What is asked of one node: its part of the network, or that it goes. */
static cJSON *call_params(const struct work *work, size_t index, bool removes)
{
	if (removes)
		return node_remove_params(work->id);
	cJSON *spec = zos_member_spec(
		work->ip_range, work->members, work->count, index, work->laptop);
	zos_json_add_text(spec, "name", provider_get(work->op->planned, "name"));
	cJSON *params = zos_ensure_params(work->instance, work->op, work->id, "network", spec);
	cJSON_Delete(spec);
	return params;
}

static void take_answer(struct part *part, struct zos_call *call, bool removes)
{
	/* What was removed is gone; what was to be made may be there whatever the answer. */
	part->remains = removes ? !call->result : !call->unsent;
	part->error = call->error;
	cJSON_Delete(call->result);
	cJSON_Delete(part->params);
	part->params = NULL;
}

/* All parts of all works, so that each node hears once. */
static void call_parts(struct work *const *works, size_t count, bool removes)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < count; i++)
		total += works[i]->count;
	if (!total)
		return;
	zp_autofree struct zos_call *calls = zp_calloc(total, sizeof(*calls));
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < works[i]->count; j++) {
			struct part *part = &works[i]->parts[j];
			part->params = call_params(works[i], j, removes);
			calls[n++] = (struct zos_call){ .node = part->node,
				.method = removes ? "workload.remove" : "workload.ensure",
				.params = part->params };
		}
	zos_call_all(pool_of(works[0]), calls, total);
	n = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < works[i]->count; j++)
			take_answer(&works[i]->parts[j], &calls[n++], removes);
}

/* Those of the parts where the workload may still be. */
static struct hcl_value nodes_left(const struct work *work)
{
	size_t count = 0;
	struct hcl_value *names = zp_new_array(work->op->arena, struct hcl_value, work->count);
	for (size_t i = 0; i < work->count; i++)
		if (work->parts[i].remains)
			names[count++] = hcl_string_cstr(work->op->arena, work->parts[i].node);
	return hcl_set_value(hcl_string, names, count);
}

/* Removes the network from nodes; those where that failed are added to *left. */
static void leave_nodes(
	const struct work *work, struct hcl_value nodes, const char *what, struct hcl_value *left)
{
	struct work leaving = { .instance = work->instance, .op = work->op, .id = work->id };
	struct work *const list[] = { &leaving };
	set_nodes(&leaving, nodes);
	call_parts(list, 1, true);
	*left = nodes_left(&leaving);
	if (what) {
		report_parts(&leaving, what);
		return;
	}
	for (size_t i = 0; i < leaving.count; i++)
		zp_error_clear(&leaving.parts[i].error);
}

/* Subnets as planned, or, when the plan could not know them, as they are assigned now. */
static bool set_subnets(
	struct work *work, struct provider_builder *builder, struct zos_member *laptop)
{
	struct provider_operation *op = work->op;
	zp_autoerror err = ZP_ERROR_INIT;
	struct hcl_value subnets = provider_get(op->planned, "subnets");
	struct hcl_value nodes = provider_get(op->planned, "nodes");
	struct hcl_value former = zos_network_former_subnets(
		op->arena, node_pool_inventory(pool_of(work)), op->prior, nodes);
	if (subnets.state != HCL_KNOWN &&
		!zos_subnets_assign(op->arena, work->ip_range, nodes, former, &subnets, &err)) {
		provider_error_from(&op->problems, "nodes", "The network has no room", &err);
		return false;
	}
	for (size_t i = 0; i < work->count; i++) {
		struct hcl_value text;
		if (!hcl_map_lookup(subnets, zp_str(work->members[i].node), &text) ||
			!provider_subnet_parse(text.text, &work->members[i].subnet)) {
			provider_error(&op->problems, "nodes", "Plan without a subnet",
				"The plan has no subnet for node %s.", work->members[i].node);
			return false;
		}
	}
	provider_build_set(builder, "subnets", subnets);
	if (zos_laptop_take(laptop, op->planned, op->prior, subnets, &err))
		work->laptop = laptop;
	if (err.message)
		provider_error_from(&op->problems, "add_wg_access", "The network has no room", &err);
	return !err.message;
}

/* After a failure: the state must go on to know every node that may have a part of the network. */
static void keep_traces(struct work *work, struct provider_builder *builder, struct hcl_value nodes)
{
	struct provider_operation *op = work->op;
	struct hcl_value prior = provider_get(op->prior, "nodes");
	struct hcl_value gone = nodes_without(work, prior, nodes);
	struct hcl_value *all = zp_new_array(op->arena, struct hcl_value, nodes.count + gone.count);
	memcpy(all, nodes.elements, nodes.count * sizeof(*all));
	if (gone.count)
		memcpy(all + nodes.count, gone.elements, gone.count * sizeof(*all));
	provider_build_set(
		builder, "nodes", hcl_set_value(hcl_string, all, nodes.count + gone.count));
	provider_build_set(builder, "status",
		hcl_string_static("degraded: the last change was not completed"));
	op->result = zos_built(builder);
}

static void undo_create(struct work *work, struct provider_builder *builder)
{
	struct hcl_value left;
	struct hcl_value nodes = provider_get(work->op->planned, "nodes");
	leave_nodes(work, nodes, NULL, &left);
	if (left.count)
		keep_traces(work, builder, left);
}

/* A change under way: prepared, told to the nodes together with others, and settled. */
struct change {
	struct work work;
	struct zos_member laptop;
	struct provider_builder builder;
	bool ready; /* the nodes are to be told */
};

struct changes {
	struct provider_instance *instance;
	struct provider_operation **ops;
	struct change *items;
};

static void prepare_change(void *data, size_t index)
{
	const struct changes *changes = data;
	struct change *change = &changes->items[index];
	struct provider_operation *op = changes->ops[index];
	struct work *work = &change->work;
	bool goes = op->verb == PROVIDER_DELETE;
	op->result = op->verb == PROVIDER_CREATE ? provider_schema_null(op->type->schema) : op->prior;
	if (!work_init(work, changes->instance, op))
		return;
	set_nodes(work, provider_get(goes ? op->prior : op->planned, "nodes"));
	if (goes) {
		change->ready = true;
		return;
	}
	work->ip_range = provider_get_text(op->planned, "ip_range");
	provider_build(&change->builder, op->arena, op->type->schema, op->planned);
	provider_build_set(
		&change->builder, "id", hcl_string_cstr(op->arena, identity_of(work)));
	change->ready = work->ip_range && work->count &&
			set_subnets(work, &change->builder, &change->laptop) &&
			prepare_members(work);
}

static void settle_converged(struct change *change)
{
	struct work *work = &change->work;
	struct provider_operation *op = work->op;
	struct provider_builder *builder = &change->builder;
	bool fresh = op->verb == PROVIDER_CREATE;
	struct hcl_value nodes = provider_get(op->planned, "nodes"), left;
	zos_laptop_fill(builder, work->ip_range, work->members, work->count, work->laptop);
	zos_members_wipe(work->members, work->count);
	if (report_parts(work, fresh ? "Creating" : "Updating")) {
		if (fresh)
			undo_create(work, builder);
		else
			keep_traces(work, builder, nodes);
		return;
	}
	leave_nodes(work, nodes_without(work, provider_get(op->prior, "nodes"), nodes), "Updating",
		&left);
	if (left.count)
		keep_traces(work, builder, nodes);
	else
		op->result = zos_built(builder);
}

static void settle_change(void *data, size_t index)
{
	struct change *change = &((const struct changes *)data)->items[index];
	struct provider_operation *op = change->work.op;
	if (!change->ready)
		return;
	if (op->verb != PROVIDER_DELETE) {
		settle_converged(change);
		return;
	}
	report_parts(&change->work, "Destroying");
	if (!nodes_left(&change->work).count)
		op->result = provider_schema_null(op->type->schema);
}

static void tell_nodes(const struct changes *changes, size_t count, bool removes)
{
	zp_autofree struct work **works = zp_calloc(count + 1, sizeof(*works));
	size_t ready = 0;
	for (size_t i = 0; i < count; i++)
		if (changes->items[i].ready &&
			(changes->ops[i]->verb == PROVIDER_DELETE) == removes)
			works[ready++] = &changes->items[i].work;
	call_parts(works, ready, removes);
}

static void change_all(
	struct provider_instance *instance, struct provider_operation **ops, size_t count)
{
	zp_autofree struct change *items = zp_calloc(count + 1, sizeof(*items));
	struct changes changes = { instance, ops, items };
	zos_parallel(count, prepare_change, &changes);
	tell_nodes(&changes, count, true);
	tell_nodes(&changes, count, false);
	zos_parallel(count, settle_change, &changes);
}

void zos_network_run(
	struct provider_instance *instance, struct provider_operation *const *ops, size_t count)
{
	zp_autofree struct work *looks = zp_calloc(count + 1, sizeof(*looks));
	zp_autofree struct provider_operation **list = zp_calloc(count + 1, sizeof(*list));
	size_t look_count = 0, change_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (ops[i]->verb == PROVIDER_READ || ops[i]->verb == PROVIDER_RECOVER ||
			ops[i]->verb == PROVIDER_IMPORT)
			look_count += look_init(&looks[look_count], instance, ops[i]);
		else
			list[change_count++] = ops[i];
	}
	look_at_all(looks, look_count);
	change_all(instance, list, change_count);
}
