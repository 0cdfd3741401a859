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
