#include "node/workload.h"

#include <string.h>

const struct node_workload_type *node_workload_type_find(const struct node_workload_types *types,
	const char *name)
{
	for (size_t i = 0; i < types->count; i++)
		if (strcmp(types->items[i]->name, name) == 0)
			return types->items[i];
	return NULL;
}

cJSON *node_ensure_params(const struct node_workload *w)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddStringToObject(params, "id", w->id);
	cJSON_AddStringToObject(params, "type", w->type);
	cJSON_AddStringToObject(params, "lineage", w->lineage ? w->lineage : "");
	cJSON_AddStringToObject(params, "address", w->address ? w->address : "");
	cJSON_AddItemToObject(params, "spec", cJSON_Duplicate(w->spec, true));
	return params;
}

cJSON *node_remove_params(const char *id)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddStringToObject(params, "id", id);
	return params;
}
