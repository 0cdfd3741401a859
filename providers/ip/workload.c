#include "providers/ip/workload.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/client.h"
#include "node/context.h"
#include "providers/ip/pool.h"
#include "providers/network/kernel.h"

static bool wants(const cJSON *spec, const char *name, bool otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, name);

	return item ? cJSON_IsTrue(item) : otherwise;
}

static int validate(const cJSON *spec, struct zp_error *err)
{
	static const char *const names[] = { "v4", "v6" };

	for (size_t i = 0; i < ZP_ARRAY_SIZE(names); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(spec, names[i]);
		if (item && !cJSON_IsBool(item))
			return zp_error_set(err, "%s: must be true or false", names[i]);
	}
	if (!wants(spec, "v4", true) && !wants(spec, "v6", false))
		return zp_error_set(err, "v4: neither IPv4 nor IPv6 is asked for");
	return 0;
}

static cJSON *make_result(const struct provider_ip *ip)
{
	cJSON *result = cJSON_CreateObject();
	zp_autofree char *v6 = ip->v6 ? zp_format("%s/64", ip->global) : NULL;

	cJSON_AddStringToObject(result, "ip", ip->address);
	cJSON_AddStringToObject(result, "ip6", v6 ? v6 : "");
	cJSON_AddStringToObject(result, "gateway", *ip->address ? ip->gateway : "");
	return result;
}

static int take(struct node_context *node, const struct node_workload *w, struct provider_ip *ip,
	struct zp_error *err)
{
	return provider_ip_take(node, w->id, wants(w->spec, "v4", true), wants(w->spec, "v6", false),
		ip, err);
}

static int ensure(struct node_context *node, const struct node_workload *w, cJSON **result,
	struct zp_error *err)
{
	struct provider_ip ip;

	if (take(node, w, &ip, err) < 0)
		return -1;
	*result = make_result(&ip);
	return 0;
}

static int read_ip(struct node_context *node, const struct node_workload *w,
	enum node_workload_status *status, cJSON **result, struct zp_buf *message,
	struct zp_error *err)
{
	struct provider_link bridge;
	struct provider_ip ip;

	if (take(node, w, &ip, err) < 0 || provider_link_get(node_public_bridge(node), &bridge, err) < 0)
		return -1;
	*status = bridge.index ? NODE_OK : NODE_DEGRADED;
	if (!bridge.index)
		zp_buf_printf(message, "the node's bridge %s is missing", node_public_bridge(node));
	*result = make_result(&ip);
	return 0;
}

static int remove_ip(struct node_context *node, const struct node_workload *w, struct zp_error *err)
{
	zp_autofree char *machine = provider_ip_user(node, w->id, NULL);

	if (machine)
		return zp_error_code(err, NODE_E_BUSY, "the address is in use by %s", machine);
	return node_lease_release(node, NULL, w->id, err);
}

struct count {
	int64_t leased;
};

static bool count_leased(void *data, const struct node_workload *w)
{
	struct count *count = data;

	count->leased += wants(w->spec, "v4", true);
	return true;
}

static void add_facts(struct node_context *node, cJSON *facts)
{
	zp_autoerror err = ZP_ERROR_INIT;
	int64_t total = provider_ip_pool_size(node, &err);
	struct count count = { 0 };
	cJSON *pool = cJSON_AddObjectToObject(facts, "public_ips");

	if (total < 0)
		total = 0;
	node_each(node, PROVIDER_IP_TYPE, count_leased, &count);
	cJSON_AddNumberToObject(pool, "total", (double)total);
	cJSON_AddNumberToObject(
		pool, "free", (double)(count.leased < total ? total - count.leased : 0));
}

const struct node_workload_type provider_ip_workload = {
	.name = PROVIDER_IP_TYPE,
	.order = 20,
	.validate = validate,
	.ensure = ensure,
	.read = read_ip,
	.remove = remove_ip,
	.facts = add_facts,
};
