/* Networks by name: nodes are asked which they have. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "providers/zos/composite.h"

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

struct candidates {
	const cJSON *own, *other; /* the last of each kind */
	size_t own_count, other_count;
};

static struct candidates candidates_in(const cJSON *list, const char *name, const char *lineage)
{
	struct candidates found = { 0 };
	const cJSON *workload;

	cJSON_ArrayForEach (workload, list) {
		const cJSON *spec = cJSON_GetObjectItemCaseSensitive(workload, "spec");
		if (strcmp(text_of(workload, "type"), "network") != 0 ||
			strcmp(text_of(spec, "name"), name) != 0)
			continue;
		if (*lineage && strcmp(text_of(workload, "lineage"), lineage) == 0) {
			found.own = workload;
			found.own_count++;
		} else {
			found.other = workload;
			found.other_count++;
		}
	}
	return found;
}

static void choose(struct zos_network_lookup *lookup, struct zp_arena *arena, const cJSON *list,
	const char *lineage)
{
	struct candidates found = candidates_in(list, lookup->name, lineage);
	size_t count = found.own_count ? found.own_count : found.other_count;
	const cJSON *chosen = found.own_count ? found.own : found.other;

	if (!count) {
		zp_error_set(&lookup->error,
			"node %s has no network called \"%s\": is the node one of the network's, and does "
			"this resource depend on it (network_name = grid_network.NAME.name)?",
			lookup->node, lookup->name);
	} else if (count > 1) {
		zp_error_set(&lookup->error,
			"node %s has %zu networks called \"%s\", and it is not clear which is meant: give "
			"them different names",
			lookup->node, count, lookup->name);
	} else {
		lookup->id = zp_arena_strdup(arena, text_of(chosen, "id"));
		lookup->subnet = zp_arena_strdup(
			arena, text_of(cJSON_GetObjectItemCaseSensitive(chosen, "spec"), "subnet"));
	}
}

void zos_networks_find(struct provider_instance *instance, struct zp_arena *arena,
	struct zos_network_lookup *lookups, size_t count)
{
	const char *lineage = instance->environment->lineage ? instance->environment->lineage : "";
	zp_autofree struct zos_call *calls = zp_calloc(count + 1, sizeof(*calls));
	struct zp_map nodes = { 0 };
	cJSON *params = cJSON_CreateObject();

	cJSON_AddStringToObject(params, "type", "network");
	for (size_t i = 0; i < count; i++) {
		void **slot = zp_map_slot(&nodes, zp_str(lookups[i].node));
		if (*slot)
			continue;
		struct zos_call *call = &calls[nodes.count - 1];
		*call = (struct zos_call){
			.node = lookups[i].node, .method = "workload.list", .params = params };
		*slot = call;
	}
	zos_call_all(instance->environment->nodes, calls, nodes.count);
	for (size_t i = 0; i < count; i++) {
		const struct zos_call *call = zp_map_get(&nodes, zp_str(lookups[i].node));
		if (call->result)
			choose(&lookups[i], arena, call->result, lineage);
		else
			zp_error_code(&lookups[i].error, call->error.code, "%s",
				zp_error_text(&call->error));
	}
	for (size_t i = 0; i < nodes.count; i++) {
		cJSON_Delete(calls[i].result);
		zp_error_clear(&calls[i].error);
	}
	zp_map_release(&nodes);
	cJSON_Delete(params);
}

bool zos_network_at(struct provider_instance *instance, struct zp_arena *arena, const char *workload,
	struct zos_network_lookup *lookup)
{
	struct zos_query query = { .node = lookup->node, .id = workload };
	const cJSON *spec;

	if (!*workload)
		return false;
	zos_query_all(instance->environment->nodes, &query, 1);
	spec = cJSON_GetObjectItemCaseSensitive(query.reply, "spec");
	lookup->id = workload;
	lookup->name = zp_arena_strdup(arena, text_of(spec, "name"));
	lookup->subnet = zp_arena_strdup(arena, text_of(spec, "subnet"));
	zos_query_release(&query);
	return *lookup->name;
}
