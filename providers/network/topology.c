#include "providers/network/topology.h"

#include <string.h>

#include "base/alloc.h"
#include "providers/network/firewall.h"
#include "providers/network/kernel.h"

static const struct provider_subnet everywhere = { 0, 0 };

struct inside {
	const struct provider_network_names *names;
	const struct provider_network_spec *spec;
	struct provider_link lan, up;
	bool first; /* the namespace was made just now */
	struct zp_buf *message;
};

static struct provider_subnet lan_address(const struct provider_network_spec *spec)
{
	return (struct provider_subnet){ spec->gateway, spec->subnet.prefix };
}

static struct provider_subnet uplink_address(uint32_t address)
{
	return (struct provider_subnet){ address, PROVIDER_UPLINK_PREFIX };
}

/* ---- building ---- */

static int look_inside(void *data, struct zp_error *err)
{
	struct inside *inside = data;

	if (provider_link_get(PROVIDER_LAN_LINK, &inside->lan, err) < 0)
		return -1;
	return provider_link_get(PROVIDER_UP_LINK, &inside->up, err);
}

static int remove_inner(void *data, struct zp_error *err)
{
	return provider_link_remove(data, err);
}

/*
 * A pair is kept when its ends belong to each other; else both are removed first: an end may be
 * left over from a namespace that is gone.
 */
static int make_pair(const char *name, const char *netns, const char *peer,
	const struct provider_link *inner, const uint8_t *mac, struct zp_error *err)
{
	struct provider_link outer;

	if (provider_link_get(name, &outer, err) < 0)
		return -1;
	if (outer.index && inner->index && inner->peer == outer.index)
		return 0;
	if (outer.index && provider_link_remove(name, err) < 0)
		return -1;
	if (inner->index && provider_netns_run(netns, remove_inner, (void *)peer, err) < 0)
		return -1;
	return provider_veth_make(name, netns, peer, mac, err);
}

static int make_bridge(const struct provider_network_names *names, struct zp_error *err)
{
	struct provider_link bridge, lan;

	if (provider_link_get(names->bridge, &bridge, err) < 0)
		return -1;
	if (bridge.index && strcmp(bridge.kind, "bridge") != 0)
		return zp_error_set(err, "link %s is in the way: it is no bridge", names->bridge);
	if (provider_bridge_make(names->bridge, names->bridge_mac, err) < 0 ||
		provider_link_up(names->bridge, err) < 0 ||
		provider_link_get(names->bridge, &bridge, err) < 0 ||
		provider_link_get(names->lan, &lan, err) < 0)
		return -1;
	if (lan.master != bridge.index && provider_link_attach(names->lan, names->bridge, err) < 0)
		return -1;
	return provider_link_up(names->lan, err);
}

static int build_inside(void *data, struct zp_error *err)
{
	const struct inside *inside = data;
	zp_autobuf rules = ZP_BUF_INIT;

	if (provider_link_up("lo", err) < 0 ||
		provider_address_set(PROVIDER_LAN_LINK, lan_address(inside->spec), err) < 0 ||
		provider_link_up(PROVIDER_LAN_LINK, err) < 0 ||
		provider_address_set(
			PROVIDER_UP_LINK, uplink_address(inside->names->inner_address), err) < 0 ||
		provider_link_up(PROVIDER_UP_LINK, err) < 0 ||
		provider_route_set(PROVIDER_UP_LINK, everywhere, inside->names->node_address, err) <
			0)
		return -1;
	/* The rules before forwarding: nothing passes unfiltered, not even for a moment. */
	provider_firewall_network_rules(inside->first, &rules);
	if (provider_firewall_run(rules.ptr, NULL, err) < 0)
		return -1;
	return provider_sysctl("ipv4/ip_forward", "1", err);
}

int provider_topology_build(const struct provider_network_names *names,
	const struct provider_network_spec *spec, struct zp_error *err)
{
	struct inside inside = { .names = names, .spec = spec };

	inside.first = !provider_netns_exists(names->netns);
	if (provider_netns_make(names->netns, err) < 0 ||
		provider_netns_run(names->netns, look_inside, &inside, err) < 0 ||
		make_pair(names->lan, names->netns, PROVIDER_LAN_LINK, &inside.lan,
			names->gateway_mac, err) < 0 ||
		make_pair(names->uplink, names->netns, PROVIDER_UP_LINK, &inside.up, NULL, err) <
			0 ||
		make_bridge(names, err) < 0 ||
		provider_address_set(names->uplink, uplink_address(names->node_address), err) < 0 ||
		provider_link_up(names->uplink, err) < 0)
		return -1;
	return provider_netns_run(names->netns, build_inside, &inside, err);
}

/* ---- inspecting ---- */

static void differ(struct zp_buf *message, const char *fmt, ...) ZP_PRINTF(2, 3);

static void differ(struct zp_buf *message, const char *fmt, ...)
{
	va_list ap;

	if (message->len)
		zp_buf_puts(message, "; ");
	va_start(ap, fmt);
	zp_buf_vprintf(message, fmt, ap);
	va_end(ap);
}

/* where: " in namespace n-..." or "". */
static int inspect_link(const char *name, const char *where, struct provider_subnet address,
	struct zp_buf *message, struct zp_error *err)
{
	struct provider_link link;
	char text[PROVIDER_SUBNET_TEXT];
	bool is;

	if (provider_link_get(name, &link, err) < 0 ||
		provider_address_is(name, address, &is, err) < 0)
		return -1;
	provider_subnet_format(address, text);
	if (!link.index)
		differ(message, "link %s%s is missing", name, where);
	else if (!link.up)
		differ(message, "link %s%s is down", name, where);
	else if (!is)
		differ(message, "link %s%s does not have address %s and no other", name, where,
			text);
	return 0;
}

static int inspect_inside(void *data, struct zp_error *err)
{
	struct inside *inside = data;
	const struct provider_network_names *names = inside->names;
	zp_autofree char *where = zp_format(" in namespace %s", names->netns);
	zp_autobuf rules = ZP_BUF_INIT;
	bool routed;

	if (look_inside(inside, err) < 0 ||
		inspect_link(PROVIDER_LAN_LINK, where, lan_address(inside->spec), inside->message,
			err) < 0 ||
		inspect_link(PROVIDER_UP_LINK, where, uplink_address(names->inner_address),
			inside->message, err) < 0 ||
		provider_route_has(
			PROVIDER_UP_LINK, everywhere, names->node_address, &routed, err) < 0)
		return -1;
	if (inside->up.index && !routed)
		differ(inside->message, "the default route in namespace %s is missing",
			names->netns);
	if (provider_firewall_run("list table ip " PROVIDER_NETWORK_TABLE, &rules, NULL) < 0 ||
		!strstr(zp_buf_slice(&rules).ptr, "masquerade"))
		differ(inside->message, "the firewall rules in namespace %s are missing",
			names->netns);
	return 0;
}

static void inspect_pair(const char *name, const struct provider_link *outer, const char *peer,
	const struct provider_link *inner, struct zp_buf *message)
{
	if (outer->index && inner->index && inner->peer != outer->index)
		differ(message, "link %s does not lead to %s", name, peer);
}

int provider_topology_inspect(const struct provider_network_names *names,
	const struct provider_network_spec *spec, bool *any, struct zp_buf *message,
	struct zp_error *err)
{
	struct inside inside = { .names = names, .spec = spec, .message = message };
	struct provider_link bridge, lan, uplink;
	bool netns = provider_netns_exists(names->netns);

	if (provider_link_get(names->bridge, &bridge, err) < 0 ||
		provider_link_get(names->lan, &lan, err) < 0 ||
		provider_link_get(names->uplink, &uplink, err) < 0)
		return -1;
	*any = netns || bridge.index || lan.index || uplink.index;
	if (!bridge.index)
		differ(message, "bridge %s is missing", names->bridge);
	else if (!bridge.up)
		differ(message, "bridge %s is down", names->bridge);
	if (!lan.index)
		differ(message, "link %s is missing", names->lan);
	else if (bridge.index && lan.master != bridge.index)
		differ(message, "link %s is not attached to bridge %s", names->lan, names->bridge);
	else if (!lan.up)
		differ(message, "link %s is down", names->lan);
	if (inspect_link(names->uplink, "", uplink_address(names->node_address), message, err) < 0)
		return -1;
	if (!netns) {
		differ(message, "namespace %s is missing", names->netns);
		return 0;
	}
	if (provider_netns_run(names->netns, inspect_inside, &inside, err) < 0)
		return -1;
	inspect_pair(names->lan, &lan, PROVIDER_LAN_LINK, &inside.lan, message);
	inspect_pair(names->uplink, &uplink, PROVIDER_UP_LINK, &inside.up, message);
	return 0;
}

/* Links before the namespace: the kernel takes its time to remove those of a namespace that ended.
 */
int provider_topology_destroy(const struct provider_network_names *names, struct zp_error *err)
{
	if (provider_link_remove(names->lan, err) < 0 ||
		provider_link_remove(names->uplink, err) < 0 ||
		provider_link_remove(names->bridge, err) < 0)
		return -1;
	return provider_netns_remove(names->netns, err);
}

/* ---- the node ---- */

bool provider_topology_node_is_built(const char *tag)
{
	zp_autofree char *command = zp_format("list table ip zplan_%s", tag);

	return provider_firewall_run(command, NULL, NULL) == 0;
}

/*
 * Replacing rules makes the kernel wait until nobody uses the former ones, so what this process has made, and
 * is still there, stays.
 */
int provider_topology_build_node(const char *tag, const char *wan, struct zp_error *err)
{
	static uint64_t made; /* hash of the rules; callers take turns */
	zp_autobuf rules = ZP_BUF_INIT;

	provider_firewall_node_rules(tag, wan, &rules);
	uint64_t wanted = zp_str_hash(zp_buf_slice(&rules));
	if (made == wanted && provider_topology_node_is_built(tag))
		return 0;
	/* Bridged frames are not the business of IP filters. Not there without the bridge module.
	 */
	provider_sysctl("bridge/bridge-nf-call-iptables", "0", NULL);
	if (provider_firewall_run(rules.ptr, NULL, err) < 0)
		return -1;
	made = wanted;
	return provider_sysctl("ipv4/ip_forward", "1", err);
}

int provider_topology_destroy_node(const char *tag, struct zp_error *err)
{
	zp_autofree char *commands =
		zp_format("table ip zplan_%s\ndelete table ip zplan_%s\n", tag, tag);

	return provider_firewall_run(commands, NULL, err);
}
