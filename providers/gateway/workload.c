#include "providers/gateway/workload.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/gateway/control.h"
#include "providers/gateway/engine.h"
#include "providers/gateway/store.h"
#include "providers/network/forward.h"
#include "providers/network/names.h"

#define NAME_POOL "gateway-name"
/* Labels of name proxies: nobody else in the inventory may have them either. */
#define LABEL_POOL "gateway-label"
#define FIRST_PORT 20001
#define PORT_BLOCKS ((65535 - FIRST_PORT) / PROVIDER_GATEWAY_MAX_BACKENDS)

static bool is_by_name(const struct node_workload *w)
{
	return strcmp(w->type, PROVIDER_GATEWAY_NAME_TYPE) == 0;
}

/* ---- from the spec to the proxy as stored ---- */

/* Heap; NULL after an error. */
static char *full_name(const struct node_context *node, const struct provider_gateway_spec *spec,
	struct zp_error *err)
{
	zp_autofree char *fqdn = NULL;

	if (spec->fqdn)
		return zp_strdup(spec->fqdn);
	if (!*node_domain(node)) {
		zp_error_code(err, NODE_E_INVALID,
			"name: node %s has no domain, so it can not serve names (domain in "
			"node.hcl)",
			node_name(node));
		return NULL;
	}
	fqdn = zp_format("%s.%s", spec->name, node_domain(node));
	if (strlen(fqdn) > PROVIDER_GATEWAY_FQDN_MAX) {
		zp_error_code(err, NODE_E_INVALID, "name: %s is longer than %d characters", fqdn,
			PROVIDER_GATEWAY_FQDN_MAX);
		return NULL;
	}
	return zp_steal(fqdn);
}

/* Backends within a network: HAProxy connects to the uplink, the network sends it on. */
static int forward_servers(struct node_context *node, const struct provider_gateway_spec *spec,
	struct provider_proxy *proxy, struct zp_error *err)
{
	zp_autofree char *pool = zp_format("gateway-port/%s", spec->network);
	struct provider_network_names names;
	int64_t block = 0;

	provider_network_names(node, spec->network, &names);
	if (!provider_network_exists(node, spec->network))
		return zp_error_code(err, NODE_E_FAILED, "network: %s is not on node %s",
			spec->network, node_name(node));
	if (provider_network_uplink(node, spec->network, &names, err) < 0 ||
		node_lease_int(node, pool, proxy->id, 0, PORT_BLOCKS - 1, &block, err) < 0)
		return -1;
	proxy->network = zp_strdup(spec->network);
	for (size_t i = 0; i < proxy->server_count; i++) {
		struct provider_gateway_backend *server = &proxy->servers[i];
		struct provider_forward *forward = &proxy->forwards[i];

		provider_ipv4_parse(server->host, &forward->address);
		forward->to_port = server->port;
		forward->port = FIRST_PORT + (int)block * PROVIDER_GATEWAY_MAX_BACKENDS + (int)i;
		provider_ipv4_format(names.inner_address, server->host);
		server->port = forward->port;
	}
	return 0;
}

static int make_proxy(struct node_context *node, const struct node_workload *w,
	struct provider_proxy *proxy, struct zp_error *err)
{
	provider_autogateway spec = { 0 };

	memset(proxy, 0, sizeof(*proxy));
	if (provider_gateway_spec_read(w->spec, is_by_name(w), &spec, err) < 0)
		return -1;
	proxy->fqdn = full_name(node, &spec, err);
	if (!proxy->fqdn)
		return -1;
	proxy->id = zp_strdup(w->id);
	proxy->passthrough = spec.passthrough;
	proxy->redirect = spec.redirect;
	proxy->health = zp_steal(spec.health);
	proxy->server_count = spec.backend_count;
	memcpy(proxy->servers, spec.backends, sizeof(proxy->servers));
	return spec.network ? forward_servers(node, &spec, proxy, err) : 0;
}

/* ---- putting it in place ---- */

/* Changes of forwards come one after the other, so that none is lost. */
static pthread_mutex_t forward_lock = PTHREAD_MUTEX_INITIALIZER;

/* The forwards of all stored proxies into this network. */
static int apply_all_forwards(struct node_context *node, const char *network, struct zp_error *err)
{
	ZP_VEC(forwards, struct provider_forward) forwards = { 0 };
	provider_autoproxies list = { 0 };
	int rc;

	rc = provider_store_list(node, &list, err);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		const struct provider_proxy *proxy = &list.items[i];

		if (!proxy->network || strcmp(proxy->network, network) != 0)
			continue;
		for (size_t j = 0; j < proxy->server_count; j++)
			zp_vec_push(&forwards, proxy->forwards[j]);
	}
	if (rc == 0)
		rc = provider_forward_apply(node, network, forwards.items, forwards.count, err);
	zp_vec_release(&forwards);
	return rc;
}

static bool forwards_equal(const struct provider_forward *a, const struct provider_forward *b)
{
	return a->port == b->port && a->address == b->address && a->to_port == b->to_port;
}

/* The proxy's forwards into the network that other does not have; either may be NULL. */
static size_t forwards_beyond(const struct provider_proxy *proxy,
	const struct provider_proxy *other, const char *network, struct provider_forward *out)
{
	bool same = other && other->network && strcmp(other->network, network) == 0;
	size_t count = 0;

	if (!proxy || !proxy->network || strcmp(proxy->network, network) != 0)
		return 0;
	for (size_t i = 0; i < proxy->server_count; i++) {
		bool known = false;

		for (size_t j = 0; same && j < other->server_count; j++)
			known |= forwards_equal(&proxy->forwards[i], &other->forwards[j]);
		if (!known)
			out[count++] = proxy->forwards[i];
	}
	return count;
}

/*
 * The network forwards what after (NULL: nothing) says, and no longer what only before said. Where
 * the kernel is not as it should be, all of them are set.
 */
static int change_forwards(struct node_context *node, const char *network,
	const struct provider_proxy *before, const struct provider_proxy *after,
	struct zp_error *err)
{
	struct provider_forward gone[PROVIDER_GATEWAY_MAX_BACKENDS];
	struct provider_forward fresh[PROVIDER_GATEWAY_MAX_BACKENDS];
	size_t gone_count = forwards_beyond(before, after, network, gone);
	size_t fresh_count = forwards_beyond(after, before, network, fresh);
	zp_autobuf missing = ZP_BUF_INIT;
	int rc = -1;

	pthread_mutex_lock(&forward_lock);
	/* With the last forward the whole table goes. */
	if (after || provider_engine_users(network) > 0)
		rc = provider_forward_change(
			node, network, gone, gone_count, fresh, fresh_count, NULL);
	if (rc == 0 && after &&
		!provider_forward_check(
			node, network, after->forwards, after->server_count, &missing))
		rc = -1;
	if (rc < 0)
		rc = apply_all_forwards(node, network, err);
	pthread_mutex_unlock(&forward_lock);
	return rc;
}

/* The network a stored proxy was in is told that it left. */
static int leave_network(struct node_context *node, const struct provider_proxy *old,
	const char *now_in, struct zp_error *err)
{
	if (!old->network || (now_in && strcmp(old->network, now_in) == 0) ||
		!provider_network_exists(node, old->network))
		return 0;
	return change_forwards(node, old->network, old, NULL, err);
}

static int switch_over(struct node_context *node, const struct provider_proxy *before,
	const struct provider_proxy *proxy, struct zp_error *err)
{
	if (proxy->network && change_forwards(node, proxy->network, before, proxy, err) < 0)
		return zp_error_wrap(err, "forwarding into network %s", proxy->network);
	return provider_engine_change(node, proxy->id, err);
}

/* Stores the proxy and makes it work; when that fails, what was stored before works again. */
static int replace_proxy(
	struct node_context *node, const struct provider_proxy *proxy, struct zp_error *err)
{
	zp_autofree char *text = provider_proxy_encode(proxy), *before = NULL;
	provider_autoproxy old = { 0 };

	if (provider_store_get(node, proxy->id, &before, err) < 0 ||
		provider_store_put(node, proxy->id, text, err) < 0)
		return -1;
	if (before)
		provider_proxy_decode(before, &old, NULL);
	if (switch_over(node, &old, proxy, err) == 0)
		return leave_network(node, &old, proxy->network, err);
	if (provider_store_put(node, proxy->id, before, NULL) == 0) {
		provider_engine_change(node, proxy->id, NULL);
		if (proxy->network)
			change_forwards(node, proxy->network, proxy, old.id ? &old : NULL, NULL);
	}
	return -1;
}

static int check_public(const struct node_context *node, struct zp_error *err)
{
	if (*node_wan_address(node))
		return 0;
	return zp_error_code(err, NODE_E_FAILED,
		"node %s has no public address, so it can not be a gateway", node_name(node));
}

/* After a failure: a gateway that never worked holds no name and no ports. */
static void give_back(struct node_context *node, const struct provider_proxy *proxy)
{
	zp_autofree char *stored = NULL;

	if (provider_store_get(node, proxy->id, &stored, NULL) < 0 || stored)
		return;
	node_lease_release(node, NULL, proxy->id, NULL);
}

static int take_name(struct node_context *node, const struct provider_proxy *proxy,
	const char *label, struct zp_error *err)
{
	zp_autoerror taken = ZP_ERROR_INIT;

	if (node_lease_take(node, NAME_POOL, proxy->id, proxy->fqdn, &taken) == 0 &&
		(!label || node_lease_take(node, LABEL_POOL, proxy->id, label, &taken) == 0))
		return 0;
	give_back(node, proxy);
	return zp_error_code(
		err, NODE_E_BUSY, "%s is taken: %s", proxy->fqdn, zp_error_text(&taken));
}

static cJSON *describe(const struct node_context *node, const struct provider_proxy *proxy)
{
	zp_autofree char *authority =
		provider_engine_authority(node, proxy->fqdn, proxy->passthrough);
	cJSON *result = cJSON_CreateObject();

	cJSON_AddStringToObject(result, "fqdn", proxy->fqdn);
	if (authority)
		cJSON_AddStringToObject(result, "certificate_authority", authority);
	return result;
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	provider_autoproxy proxy = { 0 };
	zp_autofree char *label = NULL;

	if (check_public(node, err) < 0 || make_proxy(node, w, &proxy, err) < 0)
		return -1;
	if (is_by_name(w))
		label = zp_strndup(proxy.fqdn, strcspn(proxy.fqdn, "."));
	if (take_name(node, &proxy, label, err) < 0)
		return -1;
	if (replace_proxy(node, &proxy, err) < 0) {
		give_back(node, &proxy);
		return -1;
	}
	*result = describe(node, &proxy);
	return 0;
}

/* ---- looking ---- */

/* True when all is well; else message says what is not. */
static bool look(struct node_context *node, const struct node_workload *w, const char *stored,
	struct provider_proxy *proxy, struct zp_buf *message)
{
	zp_autoerror problem = ZP_ERROR_INIT;
	zp_autofree char *expected = NULL;

	if (make_proxy(node, w, proxy, &problem) < 0) {
		zp_buf_puts(message, zp_error_text(&problem));
		return false;
	}
	expected = provider_proxy_encode(proxy);
	if (strcmp(expected, stored) != 0) {
		zp_buf_printf(message, "%s is served with other settings", proxy->fqdn);
		return false;
	}
	if (!provider_haproxy_serves(node, proxy->fqdn, proxy->passthrough, message))
		return false;
	return !proxy->network || provider_forward_check(node, proxy->network, proxy->forwards,
					  proxy->server_count, message);
}

static int read_gateway(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	zp_autofree char *stored = NULL;
	provider_autoproxy proxy = { 0 };
	provider_autoproxy kept = { 0 };

	*status = NODE_ABSENT;
	if (provider_store_get(node, w->id, &stored, err) < 0)
		return -1;
	if (!stored)
		return 0;
	*status = look(node, w, stored, &proxy, message) ? NODE_OK : NODE_DEGRADED;
	if (provider_proxy_decode(stored, &kept, NULL) == 0)
		*result = describe(node, &kept);
	return 0;
}

/* ---- leaving ---- */

static int remove_gateway(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	zp_autofree char *stored = NULL;
	provider_autoproxy old = { 0 };

	if (provider_store_get(node, w->id, &stored, err) < 0)
		return -1;
	if (stored)
		provider_proxy_decode(stored, &old, NULL);
	if (provider_store_put(node, w->id, NULL, err) < 0 ||
		provider_engine_change(node, w->id, err) < 0 ||
		leave_network(node, &old, NULL, err) < 0)
		return -1;
	return node_lease_release(node, NULL, w->id, err);
}

/* ---- watching ---- */

static int tick(struct node_context *node, const struct node_workload *w, bool *changed,
	struct zp_error *err)
{
	(void)w;
	(void)changed;
	return provider_engine_watch(node, err);
}

/* Addresses the gateway reaches, and nobody else: the node itself and its uplinks to networks. */
static bool is_internal(uint32_t address)
{
	static const struct provider_subnet internal[] = {
		{ 0x00000000, 8 },
		{ 0x7f000000, 8 },
		{ 0xa9fe0000, 16 },
		{ 0x647f0000, 16 },
		{ 0xe0000000, 3 },
	};

	for (size_t i = 0; i < ZP_ARRAY_SIZE(internal); i++)
		if ((address & provider_subnet_mask(internal[i].prefix)) == internal[i].address)
			return true;
	return false;
}

static int check_tenant(
	struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	provider_autogateway spec = { 0 };
	uint32_t address, own = 0;

	if (provider_gateway_spec_read(w->spec, is_by_name(w), &spec, err) < 0)
		return -1;
	if (spec.network)
		return node_check_own(node, w, spec.network, err);
	provider_ipv4_parse(node_wan_address(node), &own);
	for (size_t i = 0; i < spec.backend_count; i++)
		if (!provider_ipv4_parse(spec.backends[i].host, &address) || is_internal(address) ||
			address == own)
			return zp_error_code(err, NODE_E_DENIED,
				"backends: %s is not for tenants: name a public IPv4 address, or "
				"the network the backend is in",
				spec.backends[i].host);
	return 0;
}

static int validate_name(const cJSON *spec, struct zp_error *err)
{
	provider_autogateway checked = { 0 };

	return provider_gateway_spec_read(spec, true, &checked, err);
}

static int validate_fqdn(const cJSON *spec, struct zp_error *err)
{
	provider_autogateway checked = { 0 };

	return provider_gateway_spec_read(spec, false, &checked, err);
}

const struct node_workload_type provider_gateway_name_workload = {
	.name = PROVIDER_GATEWAY_NAME_TYPE,
	.names = LABEL_POOL,
	.order = 50,
	.check_tenant = check_tenant,
	.validate = validate_name,
	.ensure = ensure,
	.read = read_gateway,
	.remove = remove_gateway,
	.tick = tick,
};

const struct node_workload_type provider_gateway_fqdn_workload = {
	.name = PROVIDER_GATEWAY_FQDN_TYPE,
	.order = 50,
	.check_tenant = check_tenant,
	.validate = validate_fqdn,
	.ensure = ensure,
	.read = read_gateway,
	.remove = remove_gateway,
	.tick = tick,
};
