#include "providers/ip/pool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/client.h"
#include "providers/ip/workload.h"
#include "providers/machine/domain.h"

struct stretch {
	uint32_t first;
	int64_t count;
	int prefix;
};

/* "a/prefix" or "a-b/prefix". */
static bool parse_stretch(const char *text, struct stretch *out)
{
	zp_autofree char *copy = zp_strdup(text);
	char *dash = strchr(copy, '-');
	struct provider_subnet last;

	if (!dash) {
		if (!provider_subnet_parse(copy, &last))
			return false;
		*out = (struct stretch){ last.address, 1, last.prefix };
		return last.prefix >= 1;
	}
	*dash = '\0';
	if (!provider_ipv4_parse(copy, &out->first) || !provider_subnet_parse(dash + 1, &last) ||
		last.prefix < 1 || last.address < out->first ||
		last.address - out->first >= PROVIDER_IP_MAX)
		return false;
	out->count = (int64_t)last.address - (int64_t)out->first + 1;
	out->prefix = last.prefix;
	return true;
}

/* Calls of the pool with number -1 only count. */
static int64_t walk(const struct node_context *node, int64_t number, struct provider_subnet *out,
	struct zp_error *err)
{
	size_t count;
	const char *const *texts = node_public_addresses(node, &count);
	int64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		struct stretch stretch;
		if (!parse_stretch(texts[i], &stretch))
			return zp_error_code(err, NODE_E_FAILED,
				"node %s: addresses in node.hcl: \"%s\" is neither ADDRESS/PREFIX nor "
				"FIRST-LAST/PREFIX", node_name(node), texts[i]);
		if (number >= total && number < total + stretch.count)
			*out = (struct provider_subnet){
				stretch.first + (uint32_t)(number - total), stretch.prefix };
		total += stretch.count;
	}
	return total;
}

int64_t provider_ip_pool_size(const struct node_context *node, struct zp_error *err)
{
	return walk(node, -1, NULL, err);
}

int provider_ip_pool_get(const struct node_context *node, int64_t number,
	struct provider_subnet *out, struct zp_error *err)
{
	int64_t total = walk(node, number, out, err);

	if (total < 0)
		return -1;
	if (number >= total)
		return zp_error_code(err, NODE_E_FAILED,
			"node %s no longer has the public address it leased: node.hcl lists fewer",
			node_name(node));
	return 0;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned m[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
	return true;
}

void provider_ip_eui64(const struct in6_addr *prefix, const char *mac, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr address = *prefix;
	uint8_t m[6] = { 0 };

	parse_mac(mac, m);
	const uint8_t low[8] = { m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] };
	memcpy(&address.s6_addr[8], low, sizeof(low));
	inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
}

static void name_links(struct node_context *node, const char *id, struct provider_ip *out)
{
	struct in6_addr link = { .s6_addr = { 0xfe, 0x80 } };
	zp_autofree char *place = zp_format("public/%s", id);

	provider_domain_mac(node_tag(node), place, out->mac);
	provider_ip_eui64(&link, out->mac, out->link_local);
	snprintf(out->gateway, sizeof(out->gateway), "%s", node_public_gateway(node));
}

static int take_v4(struct node_context *node, const char *id, struct provider_ip *out,
	struct zp_error *err)
{
	zp_autoerror full = ZP_ERROR_INIT;
	int64_t total = provider_ip_pool_size(node, err), number = 0;

	if (total < 0)
		return -1;
	if (!total || node_lease_int(node, PROVIDER_IP_LEASES, id, 0, total - 1, &number, &full) < 0)
		return zp_error_code(err, NODE_E_CAPACITY,
			"node %s has no public IPv4 address left: all %lld of its pool are leased",
			node_name(node), (long long)total);
	if (provider_ip_pool_get(node, number, &out->v4, err) < 0)
		return -1;
	provider_subnet_format(out->v4, out->address);
	return 0;
}

static int find_v6(struct node_context *node, struct provider_ip *out, struct zp_error *err)
{
	const char *text = node_public_prefix6(node);
	zp_autofree char *network = zp_strndup(text, strcspn(text, "/"));
	struct in6_addr prefix;

	if (!*text)
		return zp_error_code(err, NODE_E_CAPACITY,
			"node %s has no IPv6 addresses to give (prefix6 of public in node.hcl)",
			node_name(node));
	if (inet_pton(AF_INET6, network, &prefix) != 1 || strcmp(text + strlen(network), "/64") != 0)
		return zp_error_code(err, NODE_E_FAILED,
			"node %s: prefix6 in node.hcl: \"%s\" is no IPv6 network with /64",
			node_name(node), text);
	provider_ip_eui64(&prefix, out->mac, out->global);
	return 0;
}

int provider_ip_take(struct node_context *node, const char *id, bool v4, bool v6,
	struct provider_ip *out, struct zp_error *err)
{
	memset(out, 0, sizeof(*out));
	if (!*node_public_bridge(node))
		return zp_error_code(err, NODE_E_CAPACITY,
			"node %s has no public addresses to give (public in node.hcl)",
			node_name(node));
	name_links(node, id, out);
	out->v6 = v6;
	if (v6 && find_v6(node, out, err) < 0)
		return -1;
	return v4 ? take_v4(node, id, out, err) : 0;
}

int provider_ip_find(struct node_context *node, const char *id, struct provider_ip *out,
	struct zp_error *err)
{
	struct node_workload *w = node_find(node, id);
	bool is_ip = w && strcmp(w->type, PROVIDER_IP_TYPE) == 0;
	int rc;

	if (is_ip)
		rc = provider_ip_take(node, id,
			!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(w->spec, "v4")),
			cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(w->spec, "v6")), out, err);
	else
		rc = zp_error_code(err, NODE_E_INVALID, "node %s has no public address %s",
			node_name(node), id);
	node_workload_free(w);
	return rc;
}

const char *provider_ip_of_machine(const cJSON *spec)
{
	const cJSON *network = cJSON_GetObjectItemCaseSensitive(spec, "network");
	const char *id =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(network, "public_ip"));

	return id && *id ? id : NULL;
}

struct search {
	const char *ip, *but;
	char *user;
};

static bool find_user(void *data, const struct node_workload *w)
{
	struct search *search = data;
	const char *ip = provider_ip_of_machine(w->spec);

	if (ip && strcmp(ip, search->ip) == 0 && (!search->but || strcmp(search->but, w->id) != 0))
		search->user = zp_strdup(w->id);
	return !search->user;
}

char *provider_ip_user(struct node_context *node, const char *id, const char *but)
{
	struct search search = { .ip = id, .but = but };

	node_each(node, "zmachine", find_user, &search);
	return search.user;
}
