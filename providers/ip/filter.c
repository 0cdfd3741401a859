#include "providers/ip/filter.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "providers/ip/pool.h"
#include "providers/network/firewall.h"

ZP_VEC(grant_vec, struct provider_ip_grant);

static void begin_set(const char *name, const char *type, struct zp_buf *out)
{
	zp_buf_printf(out, "\tset %s {\n\t\ttype %s\n", name, type);
}

static void end_set(size_t elements, struct zp_buf *out)
{
	zp_buf_puts(out, elements ? " }\n\t}\n" : "\t}\n");
}

static void element(size_t *elements, struct zp_buf *out)
{
	zp_buf_puts(out, (*elements)++ ? ", " : "\t\telements = { ");
}

static void put_taps(const struct provider_ip_grant *grants, size_t count, struct zp_buf *out)
{
	size_t n = 0;

	begin_set("taps", "ifname", out);
	for (size_t i = 0; i < count; i++) {
		element(&n, out);
		zp_buf_printf(out, "\"%s\"", grants[i].tap);
	}
	end_set(n, out);
}

static void put_v4(const struct provider_ip_grant *grants, size_t count, struct zp_buf *out)
{
	size_t n = 0;

	begin_set("v4", "ifname . ether_addr . ipv4_addr", out);
	for (size_t i = 0; i < count; i++) {
		if (!*grants[i].v4)
			continue;
		element(&n, out);
		zp_buf_printf(out, "\"%s\" . %s . %s", grants[i].tap, grants[i].mac, grants[i].v4);
	}
	end_set(n, out);
}

static void put_v6(const struct provider_ip_grant *grants, size_t count, struct zp_buf *out)
{
	size_t n = 0;

	begin_set("v6", "ifname . ether_addr . ipv6_addr", out);
	for (size_t i = 0; i < 2 * count; i++) {
		const struct provider_ip_grant *grant = &grants[i / 2];
		if (!*grant->v6[i % 2])
			continue;
		element(&n, out);
		zp_buf_printf(out, "\"%s\" . %s . %s", grant->tap, grant->mac, grant->v6[i % 2]);
	}
	end_set(n, out);
}

/*
 * Answering for others' addresses (ARP, neighbour advertisements carry the same address as source),
 * playing the router and handing out leases are what spoofing is made of.
 */
static const char chains[] =
	"\tchain prerouting {\n"
	"\t\ttype filter hook prerouting priority -300\n"
	"\t\tiifname @taps jump machine\n"
	"\t}\n"
	"\tchain machine {\n"
	"\t\tether type arp iifname . arp saddr ether . arp saddr ip @v4 iifname . ether saddr . arp "
	"saddr ip @v4 accept\n"
	"\t\tether type ip udp sport 67 drop\n"
	"\t\tether type ip iifname . ether saddr . ip saddr @v4 accept\n"
	"\t\tether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop\n"
	"\t\tether type ip6 iifname . ether saddr . ip6 saddr @v6 accept\n"
	"\t\tether type ip6 ip6 saddr :: icmpv6 type nd-neighbor-solicit accept\n"
	"\t\tcounter drop\n"
	"\t}\n";

void provider_ip_filter_rules(const char *tag, const struct provider_ip_grant *grants, size_t count,
	struct zp_buf *out)
{
	zp_autofree char *table = zp_format("bridge zplan_public_%s", tag);

	zp_buf_printf(out, "table %s\ndelete table %s\n", table, table);
	if (!count)
		return;
	zp_buf_printf(out, "table %s {\n", table);
	put_taps(grants, count, out);
	put_v4(grants, count, out);
	put_v6(grants, count, out);
	zp_buf_printf(out, "%s}\n", chains);
}

void provider_public_tap_name(struct node_context *node, const char *machine_id, char out[16])
{
	node_short_name("p", node_tag(node), machine_id, out);
}

struct collection {
	struct node_context *node;
	const char *but;
	struct grant_vec grants;
};

static bool collect(void *data, const struct node_workload *w)
{
	struct collection *collection = data;
	const char *id = provider_ip_of_machine(w->spec);
	struct provider_ip_grant grant = { 0 };
	struct provider_ip ip;

	if (!id || (collection->but && strcmp(collection->but, w->id) == 0) ||
		provider_ip_find(collection->node, id, &ip, NULL) < 0)
		return true;
	provider_public_tap_name(collection->node, w->id, grant.tap);
	memcpy(grant.mac, ip.mac, sizeof(grant.mac));
	if (*ip.address)
		provider_ipv4_format(ip.v4.address, grant.v4);
	if (ip.v6) {
		memcpy(grant.v6[0], ip.link_local, sizeof(grant.v6[0]));
		memcpy(grant.v6[1], ip.global, sizeof(grant.v6[1]));
	}
	zp_vec_push(&collection->grants, grant);
	return true;
}

int provider_ip_filter_apply(struct node_context *node, const char *but, struct zp_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct collection collection = { .node = node, .but = but };
	zp_autobuf rules = ZP_BUF_INIT;

	/* From reading the registry to the kernel: what is later in the one is later in the other. */
	pthread_mutex_lock(&lock);
	node_each(node, "zmachine", collect, &collection);
	provider_ip_filter_rules(node_tag(node), collection.grants.items, collection.grants.count,
		&rules);
	int rc = provider_firewall_run(rules.ptr, NULL, err);
	pthread_mutex_unlock(&lock);
	zp_vec_release(&collection.grants);
	return rc < 0 ? zp_error_wrap(err, "filtering the public bridge") : 0;
}

int provider_ip_filter_has(struct node_context *node, const char *tap, bool *has,
	struct zp_error *err)
{
	zp_autofree char *command = zp_format("list tables bridge\n");
	zp_autofree char *name = zp_format("zplan_public_%s", node_tag(node));
	zp_autobuf said = ZP_BUF_INIT;

	*has = false;
	if (provider_firewall_run(command, &said, err) < 0)
		return -1;
	if (!said.ptr || !strstr(said.ptr, name))
		return 0;
	zp_autofree char *list = zp_format("list set bridge %s taps\n", name);
	zp_buf_clear(&said);
	if (provider_firewall_run(list, &said, err) < 0)
		return -1;
	*has = said.ptr && strstr(said.ptr, tap);
	return 0;
}
