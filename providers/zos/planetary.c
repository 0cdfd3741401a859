#include "providers/zos/planetary.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/map.h"
#include "node/client.h"

/* Pool and node -> why it does not, "" when it does. As long as the program. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zp_map answers;

/* Under the lock. */
static const char *ask(struct node_pool *pool, const char *node)
{
	struct node_client *client = node_pool_get(pool, node, NULL);
	cJSON *facts = client ? node_call(client, "node.facts", NULL, NULL) : NULL;
	const char *reason =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(facts, "planetary"));
	char *answer = zp_strdup(reason ? reason : "");

	cJSON_Delete(facts);
	return answer;
}

void zos_plan_planetary(struct provider_plan *plan, const char *attribute, const char *node)
{
	struct node_pool *pool = plan->instance && plan->instance->environment
					 ? plan->instance->environment->nodes
					 : NULL;
	const char *answer;

	if (!pool || !node || !node_inventory_find(node_pool_inventory(pool), node))
		return;
	zp_autofree char *key = zp_format("%p %s", (void *)pool, node);
	pthread_mutex_lock(&lock);
	answer = zp_map_get(&answers, zp_str(key));
	if (!answer) {
		answer = ask(pool, node);
		zp_map_set(&answers, zp_str(key), (void *)answer);
		key = NULL; /* the map's now */
	}
	pthread_mutex_unlock(&lock);
	if (*answer)
		provider_error(&plan->problems, attribute, "No planetary addresses there",
			"The machine is to have a planetary address, and %s.", answer);
}
