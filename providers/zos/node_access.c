#include "providers/zos/node_access.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

/* Threads only wait for nodes, so their number is about politeness towards nodes, not about cores.
 */
#define ZOS_THREADS 8

struct team {
	atomic_size_t next;
	size_t count;
	void (*fn)(void *data, size_t index);
	void *data;
};

static void *team_member(void *arg)
{
	struct team *team = arg;
	for (;;) {
		size_t index = atomic_fetch_add(&team->next, 1);
		if (index >= team->count)
			return NULL;
		team->fn(team->data, index);
	}
}

void zos_parallel(size_t count, void (*fn)(void *data, size_t index), void *data)
{
	struct team team = { .count = count, .fn = fn, .data = data };
	pthread_t threads[ZOS_THREADS];
	size_t started = 0;
	/* The calling thread is one of them; where no more can be had, it does the work alone. */
	while (started + 1 < count && started < ZOS_THREADS &&
		!pthread_create(&threads[started], NULL, team_member, &team))
		started++;
	team_member(&team);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

const char *zos_workload_id(struct zp_arena *arena, const char *identity, const char *part)
{
	return zp_arena_format(arena, "%s/%s", identity, part);
}

/* The queries of one node. */
struct node_queries {
	struct node_pool *pool;
	const char *node;
	struct zos_query **items;
	size_t count, capacity;
};

static void spread_error(struct node_queries *group, struct zp_error *err)
{
	for (size_t i = 0; i < group->count; i++)
		zp_error_code(&group->items[i]->error, err->code, "%s", zp_error_text(err));
}

static void ask_node(void *data, size_t index)
{
	struct node_queries *group = ((struct node_queries **)data)[index];
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_client *client = node_pool_get(group->pool, group->node, &err);
	if (!client) {
		spread_error(group, &err);
		return;
	}
	zp_autofree const char **ids = zp_calloc(group->count, sizeof(*ids));
	for (size_t i = 0; i < group->count; i++)
		ids[i] = group->items[i]->id;
	cJSON *replies = node_read(client, ids, group->count, &err);
	if (!replies || (size_t)cJSON_GetArraySize(replies) != group->count) {
		if (replies)
			zp_error_set(
				&err, "node %s: the answer does not fit the question", group->node);
		spread_error(group, &err);
		cJSON_Delete(replies);
		return;
	}
	for (size_t i = 0; i < group->count; i++)
		group->items[i]->reply = cJSON_DetachItemFromArray(replies, 0);
	cJSON_Delete(replies);
}

void zos_query_all(struct node_pool *pool, struct zos_query *queries, size_t count)
{
	struct zp_map groups = { 0 };
	for (size_t i = 0; i < count; i++) {
		void **slot = zp_map_slot(&groups, zp_str(queries[i].node));
		if (!*slot) {
			struct node_queries *made = zp_calloc(1, sizeof(*made));
			made->pool = pool;
			made->node = queries[i].node;
			*slot = made;
		}
		struct node_queries *group = *slot;
		if (group->count == group->capacity) {
			group->capacity = group->capacity ? 2 * group->capacity : 8;
			group->items = zp_reallocarray(
				group->items, group->capacity, sizeof(*group->items));
		}
		group->items[group->count++] = &queries[i];
	}
	zp_autofree struct node_queries **list = zp_calloc(groups.count + 1, sizeof(*list));
	for (size_t i = 0; i < groups.count; i++)
		list[i] = groups.entries[i].value;
	zos_parallel(groups.count, ask_node, list);
	for (size_t i = 0; i < groups.count; i++) {
		free(list[i]->items);
		free(list[i]);
	}
	zp_map_release(&groups);
}

void zos_query_release(struct zos_query *query)
{
	cJSON_Delete(query->reply);
	query->reply = NULL;
	zp_error_clear(&query->error);
}

/*
 * A workload the node has in its registry, though nothing of it is left, is not absent: the node
 * will make it again when asked, under the same identity.
 */
enum zos_presence zos_presence(const cJSON *reply, const char **message)
{
	const char *status = cJSON_GetStringValue(cJSON_GetObjectItem(reply, "status"));
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(reply, "message"));
	*message = text && *text ? text : NULL;
	if (status && !strcmp(status, "ok"))
		return ZOS_OK;
	if (status && !strcmp(status, "degraded"))
		return ZOS_DEGRADED;
	if (!cJSON_IsObject(cJSON_GetObjectItem(reply, "spec")))
		return ZOS_ABSENT;
	if (!*message)
		*message = "missing on the node";
	return ZOS_DEGRADED;
}

struct node_client *zos_client(
	struct provider_instance *instance, struct provider_operation *op, const char *node)
{
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_client *client = node_pool_get(instance->environment->nodes, node, &err);
	if (!client)
		provider_error_from(&op->problems, NULL, "Node is out of reach", &err);
	return client;
}

static struct node_workload describe(struct provider_instance *instance,
	const struct provider_operation *op, const char *id, const char *type, const cJSON *spec)
{
	const char *lineage = instance->environment->lineage;

	return (struct node_workload){
		.id = id,
		.type = type,
		.tenant = "",
		.lineage = lineage ? lineage : "",
		.address = op->address ? op->address : "",
		.spec = spec,
	};
}

cJSON *zos_ensure(struct provider_instance *instance, struct provider_operation *op,
	struct node_client *client, const char *id, const char *type, const cJSON *spec,
	struct zp_error *err)
{
	struct node_workload workload = describe(instance, op, id, type, spec);

	return node_ensure(client, &workload, err);
}

cJSON *zos_ensure_params(struct provider_instance *instance, const struct provider_operation *op,
	const char *id, const char *type, const cJSON *spec)
{
	struct node_workload workload = describe(instance, op, id, type, spec);

	return node_ensure_params(&workload);
}

/* The calls of one node. */
struct node_calls {
	struct node_pool *pool;
	const char *node;
	struct zos_call **items;
	size_t count, capacity;
};

static void call_node(void *data, size_t index)
{
	struct node_calls *group = ((struct node_calls **)data)[index];
	zp_autofree struct node_request *requests = zp_calloc(group->count, sizeof(*requests));
	zp_autoerror err = ZP_ERROR_INIT;
	struct node_client *client = node_pool_get(group->pool, group->node, &err);

	for (size_t i = 0; i < group->count; i++) {
		requests[i].method = group->items[i]->method;
		requests[i].params = group->items[i]->params;
	}
	if (client)
		node_call_many(client, requests, group->count);
	for (size_t i = 0; i < group->count; i++) {
		group->items[i]->result = requests[i].result;
		group->items[i]->error = requests[i].error;
		group->items[i]->unsent = !client;
		if (!client)
			zp_error_code(
				&group->items[i]->error, err.code, "%s", zp_error_text(&err));
	}
}

static void add_call(struct zp_map *groups, struct node_pool *pool, struct zos_call *call)
{
	void **slot = zp_map_slot(groups, zp_str(call->node));

	if (!*slot) {
		struct node_calls *made = zp_calloc(1, sizeof(*made));
		made->pool = pool;
		made->node = call->node;
		*slot = made;
	}
	struct node_calls *group = *slot;
	if (group->count == group->capacity) {
		group->capacity = group->capacity ? 2 * group->capacity : 8;
		group->items = zp_reallocarray(group->items, group->capacity, sizeof(*group->items));
	}
	group->items[group->count++] = call;
}

void zos_call_all(struct node_pool *pool, struct zos_call *calls, size_t count)
{
	struct zp_map groups = { 0 };

	for (size_t i = 0; i < count; i++)
		add_call(&groups, pool, &calls[i]);
	zp_autofree struct node_calls **list = zp_calloc(groups.count + 1, sizeof(*list));
	for (size_t i = 0; i < groups.count; i++)
		list[i] = groups.entries[i].value;
	zos_parallel(groups.count, call_node, list);
	for (size_t i = 0; i < groups.count; i++) {
		free(list[i]->items);
		free(list[i]);
	}
	zp_map_release(&groups);
}
