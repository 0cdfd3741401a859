/*
 * Nodes for tests: the client's functions over a table in memory, in place of those of the node
 * library. Tests set what a node answers and look at what it was told.
 */
#ifndef TESTS_PROVIDERS_FAKE_CLIENT_H
#define TESTS_PROVIDERS_FAKE_CLIENT_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "node/client.h"

#define FAKE_WORKLOADS 64

struct node_client {
	const char *name;
	const char *public_address; /* "" when hidden */
	bool unreachable;
	int fail_ensure, fail_remove; /* error code; 0: works */
	const char *status, *message; /* what read says of what is there; NULL: ok */
};

struct fake_workload {
	char *node, *id, *type, *lineage, *address;
	cJSON *spec, *result;
};

static struct node_client fake_nodes[] = {
	{ .name = "n1", .public_address = "192.0.2.1" },
	{ .name = "n2", .public_address = "192.0.2.2" },
	{ .name = "h1", .public_address = "" },
	{ .name = "h2", .public_address = "" },
};

static struct fake_workload fake_workloads[FAKE_WORKLOADS];
static size_t fake_workload_count;
static int fake_read_calls, fake_ensure_calls, fake_remove_calls;
/* A part of an id that makes ensure or remove of such workloads fail; NULL: none. */
static const char *fake_fail_part;
static int fake_fail_code = NODE_E_FAILED;
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static struct node_entry fake_entries[] = {
	{ .name = "n1", .id = 1 },
	{ .name = "n2", .id = 2 },
	{ .name = "h1", .id = 3 },
	{ .name = "h2", .id = 4 },
};

static struct node_inventory fake_inventory = {
	.items = fake_entries,
	.count = ZP_ARRAY_SIZE(fake_entries),
	.path = "nodes.hcl",
};

static void fake_drop(size_t index)
{
	struct fake_workload *w = &fake_workloads[index];
	free(w->node);
	free(w->id);
	free(w->type);
	free(w->lineage);
	free(w->address);
	cJSON_Delete(w->spec);
	cJSON_Delete(w->result);
	*w = fake_workloads[--fake_workload_count];
}

static struct fake_workload *fake_find(const char *node, const char *id)
{
	for (size_t i = 0; i < fake_workload_count; i++)
		if (!strcmp(fake_workloads[i].node, node) && !strcmp(fake_workloads[i].id, id))
			return &fake_workloads[i];
	return NULL;
}

static void fake_reset(void)
{
	while (fake_workload_count)
		fake_drop(fake_workload_count - 1);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(fake_nodes); i++) {
		fake_nodes[i].unreachable = false;
		fake_nodes[i].fail_ensure = fake_nodes[i].fail_remove = 0;
		fake_nodes[i].status = fake_nodes[i].message = NULL;
	}
	fake_read_calls = fake_ensure_calls = fake_remove_calls = 0;
	fake_fail_part = NULL;
	fake_inventory.path = "nodes.hcl";
	fake_inventory.count = ZP_ARRAY_SIZE(fake_entries);
}

const struct node_entry *node_inventory_find(
	const struct node_inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (!strcmp(inventory->items[i].name, name) ||
			(inventory->items[i].id &&
				inventory->items[i].id == strtol(name, NULL, 10)))
			return &inventory->items[i];
	return NULL;
}

const struct node_inventory *node_pool_inventory(const struct node_pool *pool)
{
	(void)pool;
	return &fake_inventory;
}

struct node_client *node_pool_get(struct node_pool *pool, const char *node, struct zp_error *err)
{
	(void)pool;
	const struct node_entry *entry = node_inventory_find(&fake_inventory, node);
	for (size_t i = 0; entry && i < ZP_ARRAY_SIZE(fake_nodes); i++) {
		if (strcmp(fake_nodes[i].name, entry->name) != 0)
			continue;
		if (!fake_nodes[i].unreachable)
			return &fake_nodes[i];
		zp_error_set(err, "node %s can not be reached", node);
		return NULL;
	}
	zp_error_set(err, "no node %s", node);
	return NULL;
}

/* What every node has left. */
static struct {
	int64_t cores, memory, disk, addresses;
	const char *tenant, *dedicated;
	const char *not_planetary; /* why not */
} fake_free;

static cJSON *fake_facts(const struct node_client *client)
{
	cJSON *facts = cJSON_CreateObject();
	cJSON_AddStringToObject(facts, "name", client->name);
	cJSON_AddStringToObject(facts, "public_address", client->public_address);
	cJSON_AddStringToObject(facts, "tenant", fake_free.tenant ? fake_free.tenant : "");
	cJSON_AddStringToObject(facts, "dedicated", fake_free.dedicated ? fake_free.dedicated : "");
	if (fake_free.not_planetary)
		cJSON_AddStringToObject(facts, "planetary", fake_free.not_planetary);
	for (int i = 0; i < 2; i++) {
		cJSON *amounts = cJSON_AddObjectToObject(facts, i ? "free" : "capacity");
		cJSON_AddNumberToObject(amounts, "cores", (double)(i ? fake_free.cores : 2 * fake_free.cores));
		cJSON_AddNumberToObject(amounts, "memory", (double)(i ? fake_free.memory : 2 * fake_free.memory));
		cJSON_AddNumberToObject(amounts, "disk", (double)(i ? fake_free.disk : 2 * fake_free.disk));
	}
	cJSON *addresses = cJSON_AddObjectToObject(facts, "public_ips");
	cJSON_AddNumberToObject(addresses, "total", 8);
	cJSON_AddNumberToObject(addresses, "free", (double)fake_free.addresses);
	return facts;
}

static cJSON *fake_list(const struct node_client *client)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < fake_workload_count; i++) {
		if (strcmp(fake_workloads[i].node, client->name) != 0)
			continue;
		cJSON *item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "id", fake_workloads[i].id);
		cJSON_AddStringToObject(item, "type", fake_workloads[i].type);
		cJSON_AddStringToObject(item, "lineage", fake_workloads[i].lineage);
		cJSON_AddItemToObject(item, "spec", cJSON_Duplicate(fake_workloads[i].spec, true));
		cJSON_AddItemToArray(list, item);
	}
	return list;
}

static cJSON *fake_describe(const struct node_client *client, const struct fake_workload *w)
{
	cJSON *item = cJSON_CreateObject();
	cJSON_AddStringToObject(item, "id", w->id);
	cJSON_AddStringToObject(item, "type", w->type);
	cJSON_AddStringToObject(item, "status", client->status ? client->status : "ok");
	cJSON_AddStringToObject(item, "message", client->message ? client->message : "");
	cJSON_AddItemToObject(item, "spec", cJSON_Duplicate(w->spec, true));
	cJSON_AddItemToObject(item, "result", cJSON_Duplicate(w->result, true));
	return item;
}

static cJSON *fake_read_objects(const struct node_client *client, const cJSON *objects)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *object;
	fake_read_calls++;
	cJSON_ArrayForEach(object, objects) for (size_t i = 0; i < fake_workload_count; i++)
	{
		size_t len = strlen(object->valuestring);
		if (!strcmp(fake_workloads[i].node, client->name) &&
			!strncmp(fake_workloads[i].id, object->valuestring, len) &&
			fake_workloads[i].id[len] == '/')
			cJSON_AddItemToArray(list, fake_describe(client, &fake_workloads[i]));
	}
	return list;
}

/* Who on the node has each name: known from the workloads' specs. */
static cJSON *fake_holders(const struct node_client *client, const cJSON *params)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *name;
	cJSON_ArrayForEach (name, cJSON_GetObjectItem(params, "names")) {
		cJSON *item = cJSON_CreateObject();
		const struct fake_workload *holder = NULL;
		for (size_t i = 0; i < fake_workload_count; i++) {
			const struct fake_workload *w = &fake_workloads[i];
			const char *has = cJSON_GetStringValue(cJSON_GetObjectItem(w->spec, "name"));
			if (has && !strcmp(w->node, client->name) && !strcmp(has, name->valuestring))
				holder = w;
		}
		cJSON_AddBoolToObject(item, "taken", holder != NULL);
		if (holder) {
			cJSON_AddStringToObject(item, "id", holder->id);
			cJSON_AddStringToObject(item, "address", holder->address);
		}
		cJSON_AddItemToArray(list, item);
	}
	return list;
}

cJSON *node_call(
	struct node_client *client, const char *method, const cJSON *params, struct zp_error *err)
{
	cJSON *result = NULL;
	pthread_mutex_lock(&fake_lock);
	if (!strcmp(method, "workload.read"))
		result = fake_read_objects(client, cJSON_GetObjectItem(params, "objects"));
	else if (!strcmp(method, "node.facts"))
		result = fake_facts(client);
	else if (!strcmp(method, "workload.list"))
		result = fake_list(client);
	else if (!strcmp(method, "workload.holders"))
		result = fake_holders(client, params);
	else
		zp_error_set(err, "no method %s", method);
	pthread_mutex_unlock(&fake_lock);
	return result;
}

/* What the workload types would answer. */
static cJSON *fake_result(const struct node_client *client, const struct node_workload *w)
{
	cJSON *result = cJSON_CreateObject();
	if (!strcmp(w->type, "zmount"))
		cJSON_AddStringToObject(result, "volume_id", "vol-1");
	if (!strcmp(w->type, "gateway-name-proxy"))
		cJSON_AddStringToObject(result, "fqdn", "web.example.com");
	if (!strcmp(w->type, "zmachine")) {
		const char *ip = cJSON_GetStringValue(cJSON_GetObjectItem(
			cJSON_GetArrayItem(
				cJSON_GetObjectItem(
					cJSON_GetObjectItem(w->spec, "network"), "interfaces"),
				0),
			"ip"));
		cJSON_AddStringToObject(result, "ip", ip && *ip ? ip : "10.1.1.2");
		cJSON_AddStringToObject(result, "console_url", "10.1.1.1:20002");
	}
	(void)client;
	return result;
}

cJSON *node_ensure(struct node_client *client, const struct node_workload *w, struct zp_error *err)
{
	cJSON *result = NULL;
	pthread_mutex_lock(&fake_lock);
	fake_ensure_calls++;
	if (client->fail_ensure || (fake_fail_part && strstr(w->id, fake_fail_part))) {
		zp_error_code(err, client->fail_ensure ? client->fail_ensure : fake_fail_code,
			"node %s: said no", client->name);
	} else {
		struct fake_workload *have = fake_find(client->name, w->id);
		if (have)
			fake_drop((size_t)(have - fake_workloads));
		have = &fake_workloads[fake_workload_count++];
		*have = (struct fake_workload){
			.node = zp_strdup(client->name),
			.id = zp_strdup(w->id),
			.type = zp_strdup(w->type),
			.lineage = zp_strdup(w->lineage),
			.address = zp_strdup(w->address),
			.spec = cJSON_Duplicate(w->spec, true),
			.result = fake_result(client, w),
		};
		result = cJSON_Duplicate(have->result, true);
	}
	pthread_mutex_unlock(&fake_lock);
	return result;
}

cJSON *node_read(
	struct node_client *client, const char *const *ids, size_t count, struct zp_error *err)
{
	(void)err;
	cJSON *list = cJSON_CreateArray();
	pthread_mutex_lock(&fake_lock);
	fake_read_calls++;
	for (size_t i = 0; i < count; i++) {
		const struct fake_workload *w = fake_find(client->name, ids[i]);
		const char *status = w ? client->status ? client->status : "ok" : "absent";
		cJSON *item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "id", ids[i]);
		cJSON_AddStringToObject(item, "status", status);
		cJSON_AddStringToObject(
			item, "message", w && client->message ? client->message : "");
		if (w) {
			cJSON_AddItemToObject(item, "spec", cJSON_Duplicate(w->spec, true));
			cJSON_AddItemToObject(item, "result", cJSON_Duplicate(w->result, true));
		}
		cJSON_AddItemToArray(list, item);
	}
	pthread_mutex_unlock(&fake_lock);
	return list;
}

int node_remove(struct node_client *client, const char *id, struct zp_error *err)
{
	int rc = 0;
	pthread_mutex_lock(&fake_lock);
	fake_remove_calls++;
	if (client->fail_remove || (fake_fail_part && strstr(id, fake_fail_part))) {
		rc = zp_error_code(err, client->fail_remove ? client->fail_remove : fake_fail_code, "node %s: still needed", client->name);
	} else {
		struct fake_workload *have = fake_find(client->name, id);
		if (have)
			fake_drop((size_t)(have - fake_workloads));
	}
	pthread_mutex_unlock(&fake_lock);
	return rc;
}

void node_call_many(struct node_client *client, struct node_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct node_request *request = &requests[i];
		const cJSON *params = request->params;
		const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(params, "id"));
		if (!strcmp(request->method, "workload.ensure")) {
			struct node_workload w = { .id = id,
				.type = cJSON_GetStringValue(cJSON_GetObjectItem(params, "type")),
				.lineage = cJSON_GetStringValue(
					cJSON_GetObjectItem(params, "lineage")),
				.address = cJSON_GetStringValue(
					cJSON_GetObjectItem(params, "address")),
				.spec = cJSON_GetObjectItem(params, "spec") };
			request->result = node_ensure(client, &w, &request->error);
		} else if (!strcmp(request->method, "workload.remove")) {
			if (!node_remove(client, id, &request->error))
				request->result = cJSON_CreateObject();
		} else {
			request->result =
				node_call(client, request->method, params, &request->error);
		}
	}
}

#endif
