#include "providers/gateway/names.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "providers/gateway/workload.h"
#include "providers/zos/node_access.h"

static cJSON *question(const struct zos_name_claim *claims, size_t count)
{
	cJSON *params = cJSON_CreateObject();

	cJSON_AddStringToObject(params, "type", PROVIDER_GATEWAY_NAME_TYPE);
	cJSON *names = cJSON_AddArrayToObject(params, "names");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(names, cJSON_CreateString(claims[i].name));
	return params;
}

static void refuse(const struct zos_name_claim *claim, const char *node, const cJSON *holder)
{
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(holder, "id"));
	const char *address = cJSON_GetStringValue(cJSON_GetObjectItem(holder, "address"));

	if (id && !strcmp(id, claim->id))
		return;
	if (!id)
		provider_error(&claim->op->problems, "name", "Name is taken",
			"Another tenant of node %s has the name \"%s\". A name is given once in "
			"the "
			"inventory, to the first who asks for it.",
			node, claim->name);
	else
		provider_error(&claim->op->problems, "name", "Name is taken",
			"%s on node %s has the name \"%s\" (%s). A name is given once in the "
			"inventory, to the first who asks for it.",
			address && *address ? address : "A gateway", node, claim->name, id);
}

/* One answer of a node; a claim that is refused already needs no second reason. */
static void take_answer(
	const struct zos_name_claim *claims, size_t count, const char *node, const cJSON *answer)
{
	const cJSON *holder = cJSON_IsArray(answer) ? answer->child : NULL;

	for (size_t i = 0; i < count && holder; i++, holder = holder->next)
		if (cJSON_IsTrue(cJSON_GetObjectItem(holder, "taken")) &&
			!claims[i].op->problems.errors)
			refuse(&claims[i], node, holder);
}

static void warn_of(const struct zos_call *call, const struct zos_name_claim *claims, size_t count)
{
	for (size_t i = 0; i < count; i++)
		provider_warning(&claims[i].op->problems, "name", "Node was not asked for the name",
			"Node %s did not say whether it serves \"%s\": %s", call->node,
			claims[i].name, zp_error_text(&call->error));
}

void zos_names_check(struct provider_instance *instance, const struct zos_name_claim *claims,
	size_t count, bool say_silent)
{
	struct node_pool *pool = instance->environment->nodes;
	const struct node_inventory *inventory = node_pool_inventory(pool);
	zp_autofree struct zos_call *calls = zp_calloc(inventory->count + 1, sizeof(*calls));

	if (!count)
		return;
	cJSON *params = question(claims, count);
	for (size_t i = 0; i < inventory->count; i++)
		calls[i] = (struct zos_call){ .node = inventory->items[i].name,
			.method = "workload.holders",
			.params = params };
	zos_call_all(pool, calls, inventory->count);
	for (size_t i = 0; i < inventory->count; i++) {
		if (calls[i].result)
			take_answer(claims, count, calls[i].node, calls[i].result);
		else if (say_silent)
			warn_of(&calls[i], claims, count);
		cJSON_Delete(calls[i].result);
		zp_error_clear(&calls[i].error);
	}
	cJSON_Delete(params);
}
