#include "providers/network/workload.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/network/kernel.h"
#include "providers/network/names.h"
#include "providers/network/spec.h"
#include "providers/network/topology.h"
#include "providers/network/wireguard.h"

/* ---- other workloads ---- */

struct taps {
	struct node_context *node;
	const char *network;
	ZP_VEC(, char *) names;
};

/* The network of a machine's only interface; NULL when there is none. */
static const char *machine_network(const struct node_workload *machine)
{
	const cJSON *network = cJSON_GetObjectItemCaseSensitive(machine->spec, "network");
	const cJSON *interfaces = cJSON_GetObjectItemCaseSensitive(network, "interfaces");
	const cJSON *first = cJSON_IsArray(interfaces) ? interfaces->child : NULL;

	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(first, "network"));
}

static bool collect_tap(void *data, const struct node_workload *w)
{
	struct taps *taps = data;
	const char *network = machine_network(w);
	char name[16];

	if (network && strcmp(network, taps->network) == 0) {
		provider_machine_tap_name(taps->node, w->id, name);
		zp_vec_push(&taps->names, zp_strdup(name));
	}
	return true;
}

static void taps_release(struct taps *taps)
{
	for (size_t i = 0; i < taps->names.count; i++)
		free(taps->names.items[i]);
	zp_vec_release(&taps->names);
}

#define autotaps zp_cleanup(taps_release) struct taps

/* Taps of running machines that are not on the bridge; attached when attach is set. */
static int check_taps(struct node_context *node, const char *id, const char *bridge, bool attach,
	struct zp_buf *message, struct zp_error *err)
{
	autotaps taps = { .node = node, .network = id };
	struct provider_link master, tap;

	if (provider_link_get(bridge, &master, err) < 0)
		return -1;
	node_each(node, "zmachine", collect_tap, &taps);
	for (size_t i = 0; i < taps.names.count; i++) {
		const char *name = taps.names.items[i];

		if (provider_link_get(name, &tap, err) < 0)
			return -1;
		if (!tap.index || !master.index || tap.master == master.index)
			continue;
		if (!attach)
			zp_buf_printf(message, "%stap %s is not attached to bridge %s",
				message->len ? "; " : "", name, bridge);
		else if (provider_link_attach(name, bridge, err) < 0 ||
			 provider_link_up(name, err) < 0)
			return -1;
	}
	return 0;
}

struct search {
	const char *network;
	char *user;  /* id of a workload that needs the network */
	bool others; /* the node has another network */
};

static bool find_machine(void *data, const struct node_workload *w)
{
	struct search *search = data;
	const char *network = machine_network(w);

	if (network && strcmp(network, search->network) == 0)
		search->user = zp_strdup(w->id);
	return !search->user;
}

static bool find_gateway(void *data, const struct node_workload *w)
{
	struct search *search = data;
	const char *network =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(w->spec, "network"));

	if (network && strcmp(network, search->network) == 0)
		search->user = zp_strdup(w->id);
	return !search->user;
}

static bool find_other(void *data, const struct node_workload *w)
{
	struct search *search = data;

	search->others = strcmp(w->id, search->network) != 0;
	return !search->others;
}

static int check_unused(struct node_context *node, const char *id, struct zp_error *err)
{
	struct search search = { .network = id };
	zp_autofree char *user = NULL;

	node_each(node, "zmachine", find_machine, &search);
	if (!search.user)
		node_each(node, "gateway-name-proxy", find_gateway, &search);
	if (!search.user)
		node_each(node, "gateway-fqdn-proxy", find_gateway, &search);
	user = search.user;
	return user ? zp_error_code(err, NODE_E_BUSY, "network is in use by %s", user) : 0;
}

/* What all networks share comes with the first and goes with the last of them. */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static int build_shared(struct node_context *node, struct zp_error *err)
{
	int rc;

	pthread_mutex_lock(&shared_lock);
	rc = provider_topology_build_node(node_tag(node), node_wan_interface(node), err);
	pthread_mutex_unlock(&shared_lock);
	return rc;
}

static int destroy_shared(struct node_context *node, const char *last, struct zp_error *err)
{
	struct search search = { .network = last };
	int rc = 0;

	pthread_mutex_lock(&shared_lock);
	node_each(node, PROVIDER_NETWORK_TYPE, find_other, &search);
	if (!search.others)
		rc = provider_topology_destroy_node(node_tag(node), err);
	pthread_mutex_unlock(&shared_lock);
	return rc;
}

/* ---- the type ---- */

static int validate(const cJSON *json, struct zp_error *err)
{
	provider_autonetwork spec = { 0 };

	return provider_network_spec_read(json, &spec, err);
}

static cJSON *make_result(
	const struct provider_network_names *names, const struct provider_network_spec *spec)
{
	cJSON *result = cJSON_CreateObject();
	char gateway[PROVIDER_IPV4_TEXT];

	provider_ipv4_format(spec->gateway, gateway);
	cJSON_AddStringToObject(result, "gateway", gateway);
	cJSON_AddStringToObject(result, "bridge", names->bridge);
	cJSON_AddStringToObject(result, "namespace", names->netns);
	return result;
}

static int prepare(struct node_context *node, const struct node_workload *w,
	struct provider_network_spec *spec, struct provider_network_names *names,
	struct zp_error *err)
{
	if (provider_network_spec_read(w->spec, spec, err) < 0)
		return -1;
	provider_network_names(node, w->id, names);
	return provider_network_uplink(node, w->id, names, err);
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	provider_autonetwork spec = { 0 };
	struct provider_network_names names;

	if (prepare(node, w, &spec, &names, err) < 0 || build_shared(node, err) < 0 ||
		provider_topology_build(&names, &spec, err) < 0 ||
		provider_wireguard_build(node, &names, &spec, err) < 0 ||
		check_taps(node, w->id, names.bridge, true, NULL, err) < 0)
		return -1;
	*result = make_result(&names, &spec);
	return 0;
}

static int read_network(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	provider_autonetwork spec = { 0 };
	struct provider_network_names names;
	bool any = false;

	if (prepare(node, w, &spec, &names, err) < 0 ||
		provider_topology_inspect(&names, &spec, &any, message, err) < 0)
		return -1;
	if (!any) {
		*status = NODE_ABSENT;
		return 0;
	}
	if (provider_wireguard_inspect(node, &names, &spec, message, err) < 0 ||
		check_taps(node, w->id, names.bridge, false, message, err) < 0)
		return -1;
	if (!provider_topology_node_is_built(node_tag(node)))
		zp_buf_printf(message, "%sthe node's firewall rules are missing",
			message->len ? "; " : "");
	*status = message->len ? NODE_DEGRADED : NODE_OK;
	*result = make_result(&names, &spec);
	return 0;
}

static int remove_network(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	struct provider_network_names names;

	if (check_unused(node, w->id, err) < 0)
		return -1;
	provider_network_names(node, w->id, &names);
	/* First who would be started again when its interface goes with the namespace. */
	if (provider_wireguard_remove(node, &names, err) < 0 ||
		provider_topology_destroy(&names, err) < 0 || destroy_shared(node, w->id, err) < 0)
		return -1;
	return node_lease_release(node, NULL, w->id, err);
}

/* A wireguard-go that died was started again by the node, and knows nothing. */
static int tick(struct node_context *node, const struct node_workload *w, bool *changed,
	struct zp_error *err)
{
	provider_autonetwork spec = { 0 };
	struct provider_network_names names;

	provider_network_names(node, w->id, &names);
	if (!provider_wireguard_restarted(&names) || !provider_netns_exists(names.netns))
		return 0;
	if (provider_network_spec_read(w->spec, &spec, err) < 0 ||
		provider_wireguard_build(node, &names, &spec, err) < 0)
		return -1;
	*changed = true;
	return 0;
}

const struct node_workload_type provider_network_workload = {
	.name = PROVIDER_NETWORK_TYPE,
	.order = 10,
	.validate = validate,
	.ensure = ensure,
	.read = read_network,
	.remove = remove_network,
	.tick = tick,
};
