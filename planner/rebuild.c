/*
 * A state out of what nodes know: every workload carries the lineage of its state and the address of its
 * object. Objects are read as an import reads them.
 */
#include "base/alloc.h"
#include "planner/engine.h"
#include "state/address.h"

/* One object as a node tells of it. */
struct found {
	const char *address, *identity, *node, *lineage;
};

ZP_VEC(found_vec, struct found);

struct rebuild {
	struct plan *plan;
	struct state *state;
	struct found_vec found;
	size_t added;
};

static const char *text_of(struct zp_arena *arena, const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return zp_arena_strdup(arena, text ? text : "");
}

/* The workload's id is the object's identity and a part: "<identity>/<part>". */
static void note(struct rebuild *rebuild, const char *node, const cJSON *workload,
	struct zp_map *identities)
{
	struct zp_arena *arena = &rebuild->plan->arena;
	const char *id = text_of(arena, workload, "id");
	const char *slash = strrchr(id, '/');
	struct found one = { .address = text_of(arena, workload, "address"), .node = node,
		.lineage = text_of(arena, workload, "lineage") };

	if (!slash || !*one.address || !*one.lineage)
		return; /* nobody's, or made by hand */
	one.identity = zp_arena_strndup(arena, id, (size_t)(slash - id));
	if (zp_map_set(identities, zp_str(one.identity), arena))
		return; /* another part of the same object */
	zp_vec_push(&rebuild->found, one);
}

static bool ask_nodes(struct rebuild *rebuild, struct node_pool *nodes)
{
	const struct node_inventory *inventory = node_pool_inventory(nodes);
	struct zp_diags *diags = rebuild->plan->diags;
	struct zp_map identities = { 0 };
	size_t errors = diags->errors;

	for (size_t i = 0; i < inventory->count; i++) {
		zp_autoerror err = ZP_ERROR_INIT;
		const char *name = inventory->items[i].name;
		struct node_client *client = node_pool_get(nodes, name, &err);
		cJSON *list = client ? node_call(client, "workload.list", NULL, &err) : NULL;
		const cJSON *workload;
		if (!list)
			zp_diag_error(diags, ZP_NOWHERE, "Node is out of reach",
				"%s\n\nA state without what this node has would lose track of it: make "
				"the node reachable, or take it out of the inventory.",
				zp_error_text(&err));
		cJSON_ArrayForEach (workload, list)
			note(rebuild, name, workload, &identities);
		cJSON_Delete(list);
	}
	zp_map_release(&identities);
	return diags->errors == errors;
}

/* Which of the states on the nodes is meant; NULL after diagnostics. */
static const char *choose_lineage(struct rebuild *rebuild, const char *given)
{
	zp_autobuf list = ZP_BUF_INIT;
	struct zp_map lineages = { 0 };

	if (given)
		return given;
	if (!state_is_empty(rebuild->state))
		return rebuild->state->lineage;
	for (size_t i = 0; i < rebuild->found.count; i++) {
		const struct found *one = &rebuild->found.items[i];
		if (!zp_map_set(&lineages, zp_str(one->lineage), (void *)one->lineage))
			zp_buf_printf(&list, "\n  %s, of %s and others", one->lineage, one->address);
	}
	size_t count = lineages.count;
	const char *only = count == 1 ? lineages.entries[0].value : NULL;
	zp_map_release(&lineages);
	if (!count)
		zp_diag_error(rebuild->plan->diags, ZP_NOWHERE, "Nothing to recover",
			"The nodes of the inventory have no workloads that belong to a state.");
	else if (!only)
		zp_diag_error(rebuild->plan->diags, ZP_NOWHERE, "More than one state",
			"The nodes have workloads of several states. Name the one to recover with "
			"-lineage=LINEAGE. There are:%s", list.ptr);
	return only;
}

static void store(struct rebuild *rebuild, const struct state_address *address,
	const struct plan_provider *provider, const struct provider_operation *op)
{
	struct plan *plan = rebuild->plan;
	zp_autobuf attributes = ZP_BUF_INIT, sensitive = ZP_BUF_INIT;
	struct hcl_value value = provider_schema_mark(op->type->schema, &plan->arena, op->result);
	/* A replacement that was interrupted: which of the two is the new one, nobody knows. */
	bool second = state_find(rebuild->state, address->text, NULL) != NULL;
	char deposed[9];

	snprintf(deposed, sizeof(deposed), "%08zx", rebuild->added + 1);
	plan_encode_attributes(op->type->schema, value, &attributes);
	plan_encode_sensitive(value, &sensitive);
	struct state_object object = {
		.resource = state_resource(rebuild->state, address->module, STATE_MANAGED, address->type,
			address->name, plan_provider_address(plan, provider->provider, NULL)),
		.key = address->key,
		.deposed = second ? deposed : NULL,
		.schema_version = op->type->schema->version,
		.attributes = zp_buf_slice(&attributes),
		.sensitive_attributes = zp_buf_slice(&sensitive),
		.private_data = op->private_out,
	};
	state_set(rebuild->state, &object);
	rebuild->added++;
	if (second)
		zp_diag_warning(plan->diags, ZP_NOWHERE, "Two objects under one address",
			"%s and another object both belong to %s; this one is recorded as deposed, and "
			"the next apply destroys it. If it is the one to keep, change the state first.",
			op->identity, address->text);
}

static void take(struct rebuild *rebuild, const struct found *one)
{
	struct plan *plan = rebuild->plan;
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_address address;

	if (!state_address_parse(one->address, &plan->arena, &address, &err) || !address.is_resource) {
		zp_diag_warning(plan->diags, ZP_NOWHERE, "Object without a usable address",
			"Node %s has the object %s under \"%s\", which is no address of a resource. It was "
			"left out.", one->node, one->identity, one->address);
		return;
	}
	const struct provider *provider = provider_for_type(address.type);
	const struct provider_resource_type *type =
		provider ? provider_resource(provider, address.type, false) : NULL;
	if (!type) {
		zp_diag_warning(plan->diags, ZP_NOWHERE, "Object of an unknown type",
			"zplan has no resource type %s, of which node %s has %s. It was left out.",
			address.type, one->node, one->identity);
		return;
	}
	struct plan_provider *use = plan_provider_default(plan, provider);
	struct hcl_value nothing = hcl_null(type->schema->type);
	struct provider_operation op = { .verb = PROVIDER_IMPORT, .type = type, .address = address.text,
		.identity = one->identity, .arena = &plan->arena, .prior = nothing, .planned = nothing,
		.config = nothing, .import_id = type->spans_nodes ? one->identity :
			zp_arena_format(&plan->arena, "%s/%s", one->node, one->identity) };
	struct provider_operation *ops[] = { &op };
	size_t errors = plan->diags->errors;
	if (!use->configured)
		return;
	type->run(&use->instance, ops, 1);
	plan_report_problems(plan, NULL, address.text, &op.problems);
	if (plan->diags->errors > errors || !op.result.type || op.result.state != HCL_KNOWN)
		return;
	store(rebuild, &address, use, &op);
	plan_emit(plan, &(struct plan_event){
		.kind = PLAN_EVENT_RECOVERED, .address = one->address, .text = "Recovered" });
}

/* What the state has already is left as it is there. */
static bool is_in_state(const struct rebuild *rebuild, const struct found *one)
{
	const struct state_object *object = state_find(rebuild->state, one->address, NULL);
	zp_autofree char *quoted = zp_format("\"%s\"", one->identity);

	return object && object->attributes.ptr &&
		memmem(object->attributes.ptr, object->attributes.len, quoted, strlen(quoted));
}

static void rebuild_all(struct rebuild *rebuild, const char *lineage)
{
	for (size_t i = 0; i < rebuild->found.count; i++) {
		const struct found *one = &rebuild->found.items[i];
		if (strcmp(one->lineage, lineage) == 0 && !is_in_state(rebuild, one))
			take(rebuild, one);
	}
}

bool plan_rebuild(struct state *state, const char *lineage, struct node_pool *nodes,
	struct plan_hooks *hooks, struct zp_diags *diags, size_t *added)
{
	struct plan_module module = { .path = "", .dir = "." };
	struct plan_config config = { .root = &module };
	struct plan_options options = { .nodes = nodes, .hooks = hooks };
	struct rebuild rebuild = { .state = state };
	size_t errors = diags->errors;

	rebuild.plan = plan_new(&config, &options, diags);
	rebuild.plan->environment.lineage = state->lineage;
	rebuild.plan->root = plan_module_instance(rebuild.plan, &module, NULL, NULL,
		(struct state_key){ 0 }, hcl_null(hcl_dynamic));
	const char *chosen = ask_nodes(&rebuild, nodes) ? choose_lineage(&rebuild, lineage) : NULL;
	if (chosen) {
		state->lineage = zp_arena_strdup(&state->arena, chosen);
		rebuild_all(&rebuild, state->lineage);
	}
	*added = rebuild.added;
	zp_vec_release(&rebuild.found);
	plan_free(rebuild.plan);
	return chosen && diags->errors == errors;
}
