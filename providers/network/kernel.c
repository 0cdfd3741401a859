#include "providers/network/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

static void put_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

static void put_addr(struct nl_addr **addr)
{
	nl_addr_put(*addr);
}

static void put_cache(struct nl_cache **cache)
{
	if (*cache)
		nl_cache_free(*cache);
}

#define autolink zp_cleanup(put_link) struct rtnl_link
#define autoaddr zp_cleanup(put_addr) struct nl_addr
#define autocache zp_cleanup(put_cache) struct nl_cache

/*
 * One socket a thread: a thread is in one network namespace from its first call on, and opening and closing
 * takes longer than most of what is asked.
 */
static pthread_key_t socket_key;

static void free_socket(void *sock)
{
	nl_socket_free(sock);
}

static void make_key(void)
{
	pthread_key_create(&socket_key, free_socket);
}

/* After an error answers may be on their way that nobody waits for any more. */
static void forget_socket(void)
{
	nl_socket_free(pthread_getspecific(socket_key));
	pthread_setspecific(socket_key, NULL);
}

static int netlink_error(struct zp_error *err, int code, const char *what, const char *name)
{
	forget_socket();
	return zp_error_set(err, "%s %s: %s", what, name, nl_geterror(code));
}

/* Stays the thread's. */
static struct nl_sock *open_route(struct zp_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_key);
	struct nl_sock *sock = pthread_getspecific(socket_key);
	if (sock)
		return sock;
	sock = nl_socket_alloc();
	int rc = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
	if (rc == 0 && pthread_setspecific(socket_key, sock) == 0)
		return sock;
	nl_socket_free(sock);
	netlink_error(err, rc, "opening", "netlink");
	return NULL;
}

static struct nl_addr *ipv4_addr(uint32_t address, int prefix)
{
	uint32_t network = htonl(address);
	struct nl_addr *addr = nl_addr_build(AF_INET, &network, sizeof(network));

	nl_addr_set_prefixlen(addr, prefix);
	return addr;
}

/* 0 with *out NULL when there is none. */
static int find_link(
	struct nl_sock *sock, const char *name, struct rtnl_link **out, struct zp_error *err)
{
	int rc = rtnl_link_get_kernel(sock, 0, name, out);

	if (rc == 0)
		return 0;
	*out = NULL;
	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return 0;
	return netlink_error(err, rc, "looking at link", name);
}

/* A missing link is an error here. */
static int need_link(
	struct nl_sock *sock, const char *name, struct rtnl_link **out, struct zp_error *err)
{
	if (find_link(sock, name, out, err) < 0)
		return -1;
	return *out ? 0 : zp_error_code(err, ENODEV, "link %s is missing", name);
}

static void set_mac(struct rtnl_link *link, const uint8_t mac[6])
{
	autoaddr *addr = nl_addr_build(AF_LLC, mac, 6);

	rtnl_link_set_addr(link, addr);
}

static void describe(struct rtnl_link *link, struct provider_link *out)
{
	const char *kind = rtnl_link_get_type(link);
	struct nl_addr *mac = rtnl_link_get_addr(link);

	out->index = rtnl_link_get_ifindex(link);
	out->master = rtnl_link_get_master(link);
	out->peer = rtnl_link_get_link(link);
	out->up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	if (mac && nl_addr_get_len(mac) == sizeof(out->mac))
		memcpy(out->mac, nl_addr_get_binary_addr(mac), sizeof(out->mac));
	if (kind)
		snprintf(out->kind, sizeof(out->kind), "%s", kind);
}

int provider_link_get(const char *name, struct provider_link *out, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;

	memset(out, 0, sizeof(*out));
	if (!sock || find_link(sock, name, &link, err) < 0)
		return -1;
	if (link)
		describe(link, out);
	return 0;
}

int provider_bridge_make(const char *name, const uint8_t mac[6], struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = rtnl_link_alloc();
	int rc;

	if (!sock)
		return -1;
	rtnl_link_set_type(link, "bridge");
	rtnl_link_set_name(link, name);
	set_mac(link, mac);
	rtnl_link_set_flags(link, IFF_UP);
	rc = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	return rc < 0 && rc != -NLE_EXIST ? netlink_error(err, rc, "making bridge", name) : 0;
}

int provider_veth_make(const char *name, const char *netns, const char *peer, const uint8_t mac[6],
	struct zp_error *err)
{
	zp_autofree char *path = zp_format("/run/netns/%s", netns);
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct nl_sock *sock = open_route(err);
	struct rtnl_link *link, *other;
	int rc;

	if (!sock)
		return -1;
	if (fd < 0)
		return zp_error_errno(err, "network namespace %s", netns);
	link = rtnl_link_veth_alloc();
	other = rtnl_link_veth_get_peer(link);
	rtnl_link_set_name(link, name);
	rtnl_link_set_name(other, peer);
	rtnl_link_set_ns_fd(other, fd);
	if (mac)
		set_mac(other, mac);
	/* Left to itself the kernel makes a queue per processor, gives all but one up, and waits each time. */
	rtnl_link_set_num_tx_queues(link, 1);
	rtnl_link_set_num_rx_queues(link, 1);
	rtnl_link_set_num_tx_queues(other, 1);
	rtnl_link_set_num_rx_queues(other, 1);
	rc = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(other);
	rtnl_link_veth_release(link);
	return rc < 0 ? netlink_error(err, rc, "making link", name) : 0;
}

int provider_link_remove(const char *name, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	int rc;

	if (!sock || find_link(sock, name, &link, err) < 0)
		return -1;
	rc = link ? rtnl_link_delete(sock, link) : 0;
	return rc < 0 && rc != -NLE_NODEV ? netlink_error(err, rc, "removing link", name) : 0;
}

/* Applies what change says to the link of that name. */
static int change_link(
	const char *name, const char *what, struct rtnl_link *change, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	int rc;

	if (!sock || need_link(sock, name, &link, err) < 0)
		return -1;
	rc = rtnl_link_change(sock, link, change, 0);
	return rc < 0 ? netlink_error(err, rc, what, name) : 0;
}

int provider_link_up(const char *name, struct zp_error *err)
{
	autolink *change = rtnl_link_alloc();

	rtnl_link_set_flags(change, IFF_UP);
	return change_link(name, "setting up link", change, err);
}

int provider_link_attach(const char *name, const char *master, struct zp_error *err)
{
	autolink *change = rtnl_link_alloc();
	struct provider_link bridge = { 0 };

	if (master && provider_link_get(master, &bridge, err) < 0)
		return -1;
	if (master && !bridge.index)
		return zp_error_code(err, ENODEV, "bridge %s is missing", master);
	rtnl_link_set_master(change, bridge.index);
	return change_link(name, "attaching link", change, err);
}

int provider_link_move(const char *name, const char *netns, struct zp_error *err)
{
	zp_autofree char *path = zp_format("/run/netns/%s", netns);
	zp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	autolink *change = rtnl_link_alloc();

	if (fd < 0)
		return zp_error_errno(err, "network namespace %s", netns);
	rtnl_link_set_ns_fd(change, fd);
	return change_link(name, "moving link", change, err);
}

int provider_link_mtu(const char *name, int mtu, struct zp_error *err)
{
	autolink *change = rtnl_link_alloc();

	rtnl_link_set_mtu(change, (unsigned int)mtu);
	return change_link(name, "setting the MTU of link", change, err);
}

/* ---- addresses ---- */

static bool is_address(struct rtnl_addr *addr, struct provider_subnet wanted)
{
	struct nl_addr *local = rtnl_addr_get_local(addr);
	uint32_t network;

	if (!local || nl_addr_get_len(local) != sizeof(network))
		return false;
	memcpy(&network, nl_addr_get_binary_addr(local), sizeof(network));
	return ntohl(network) == wanted.address && rtnl_addr_get_prefixlen(addr) == wanted.prefix;
}

struct address_scan {
	int index;
	struct provider_subnet wanted;
	bool found;
	size_t others;
	struct nl_cache *drop; /* where others are put; NULL: they are only counted */
};

static void see_address(struct nl_object *object, void *data)
{
	struct address_scan *scan = data;
	struct rtnl_addr *addr = (struct rtnl_addr *)object;

	if (rtnl_addr_get_ifindex(addr) != scan->index || rtnl_addr_get_family(addr) != AF_INET)
		return;
	if (is_address(addr, scan->wanted)) {
		scan->found = true;
		return;
	}
	scan->others++;
	if (scan->drop)
		nl_cache_add(scan->drop, object);
}

static int parse_address(struct nl_msg *message, void *data)
{
	return nl_msg_parse(message, see_address, data) < 0 ? NL_SKIP : NL_OK;
}

/*
 * Asks for the addresses of one link. A node with many networks has thousands; a kernel that does not know
 * strict requests tells of all of them, and those of other links are passed over.
 */
static int dump_addresses(struct nl_sock *sock, struct address_scan *scan)
{
	struct ifaddrmsg header = { .ifa_family = AF_INET, .ifa_index = (unsigned)scan->index };
	struct nl_cb *usual = nl_socket_get_cb(sock);
	struct nl_cb *callbacks = nl_cb_clone(usual);
	int fd = nl_socket_get_fd(sock), strict = 1, rc;

	nl_cb_put(usual);
	if (!callbacks)
		return -NLE_NOMEM;
	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, parse_address, scan);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	rc = nl_send_simple(sock, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	if (rc >= 0)
		rc = nl_recvmsgs(sock, callbacks);
	strict = 0;
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	nl_cb_put(callbacks);
	return rc;
}

static int drop_addresses(struct nl_sock *sock, struct nl_cache *cache, struct zp_error *err)
{
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		int rc = rtnl_addr_delete(sock, (struct rtnl_addr *)o, 0);
		if (rc < 0 && rc != -NLE_NOADDR)
			return netlink_error(err, rc, "removing", "an address");
	}
	return 0;
}

/*
 * Whether the link has the address, and how many others it has; with drop, those are removed.
 */
static int scan_addresses(struct nl_sock *sock, int index, struct provider_subnet wanted, bool drop,
	bool *found, size_t *others, struct zp_error *err)
{
	autocache *cache = NULL;
	struct address_scan scan = { .index = index, .wanted = wanted };
	int rc;

	*found = false;
	*others = 0;
	if (drop && nl_cache_alloc_name("route/addr", &cache) < 0)
		return zp_error_set(err, "listing addresses: out of memory");
	scan.drop = cache;
	rc = dump_addresses(sock, &scan);
	if (rc < 0)
		return netlink_error(err, rc, "listing", "addresses");
	*found = scan.found;
	*others = scan.others;
	return drop && scan.others ? drop_addresses(sock, cache, err) : 0;
}

static int add_address(
	struct nl_sock *sock, int index, struct provider_subnet wanted, struct zp_error *err)
{
	autoaddr *local = ipv4_addr(wanted.address, wanted.prefix);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	char text[PROVIDER_SUBNET_TEXT];
	int rc;

	rtnl_addr_set_ifindex(addr, index);
	rtnl_addr_set_local(addr, local);
	rc = rtnl_addr_add(sock, addr, 0);
	rtnl_addr_put(addr);
	if (rc == 0 || rc == -NLE_EXIST)
		return 0;
	provider_subnet_format(wanted, text);
	return netlink_error(err, rc, "adding address", text);
}

int provider_address_set(const char *name, struct provider_subnet address, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	size_t others;
	bool found;
	int index;

	if (!sock || need_link(sock, name, &link, err) < 0)
		return -1;
	index = rtnl_link_get_ifindex(link);
	if (scan_addresses(sock, index, address, true, &found, &others, err) < 0)
		return -1;
	return found ? 0 : add_address(sock, index, address, err);
}

int provider_address_is(
	const char *name, struct provider_subnet address, bool *is, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	size_t others = 0;
	bool found = false;

	*is = false;
	if (!sock || find_link(sock, name, &link, err) < 0)
		return -1;
	if (link && scan_addresses(sock, rtnl_link_get_ifindex(link), address, false, &found,
			    &others, err) < 0)
		return -1;
	*is = found && others == 0;
	return 0;
}

/* ---- routes ---- */

static struct rtnl_route *make_route(int index, struct provider_subnet to, uint32_t gateway)
{
	autoaddr *destination = ipv4_addr(to.address, to.prefix);
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

	rtnl_route_set_family(route, AF_INET);
	rtnl_route_set_dst(route, destination);
	rtnl_route_set_scope(route, gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_STATIC);
	rtnl_route_nh_set_ifindex(hop, index);
	if (gateway) {
		autoaddr *via = ipv4_addr(gateway, 32);

		rtnl_route_nh_set_gateway(hop, via);
	}
	rtnl_route_add_nexthop(route, hop);
	return route;
}

int provider_route_set(
	const char *name, struct provider_subnet to, uint32_t gateway, struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	struct rtnl_route *route;
	char text[PROVIDER_SUBNET_TEXT];
	int rc;

	if (!sock || need_link(sock, name, &link, err) < 0)
		return -1;
	route = make_route(rtnl_link_get_ifindex(link), to, gateway);
	rc = rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_REPLACE);
	rtnl_route_put(route);
	if (rc == 0 || rc == -NLE_EXIST)
		return 0;
	provider_subnet_format(to, text);
	return netlink_error(err, rc, "adding route", text);
}

static bool is_route(
	struct rtnl_route *route, int index, struct provider_subnet to, uint32_t gateway)
{
	struct nl_addr *destination = rtnl_route_get_dst(route);
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	autoaddr *wanted = ipv4_addr(to.address, to.prefix);
	autoaddr *via = ipv4_addr(gateway, 32);
	struct nl_addr *has = hop ? rtnl_route_nh_get_gateway(hop) : NULL;

	if (!hop || !destination || rtnl_route_nh_get_ifindex(hop) != index)
		return false;
	if ((int)nl_addr_get_prefixlen(destination) != to.prefix ||
		(to.prefix && nl_addr_cmp_prefix(destination, wanted) != 0))
		return false;
	return gateway ? has && nl_addr_cmp_prefix(has, via) == 0 : !has;
}

int provider_route_has(const char *name, struct provider_subnet to, uint32_t gateway, bool *has,
	struct zp_error *err)
{
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	autocache *cache = NULL;
	int rc;

	*has = false;
	if (!sock || find_link(sock, name, &link, err) < 0)
		return -1;
	if (!link)
		return 0;
	rc = rtnl_route_alloc_cache(sock, AF_INET, 0, &cache);
	if (rc < 0) {
		cache = NULL;
		return netlink_error(err, rc, "listing", "routes");
	}
	for (struct nl_object *o = nl_cache_get_first(cache); o && !*has; o = nl_cache_get_next(o))
		*has = is_route((struct rtnl_route *)o, rtnl_link_get_ifindex(link), to, gateway);
	return 0;
}

/* The destination of a route of ours over the link, as routes_set makes them. */
static bool own_route(struct rtnl_route *route, int index, struct provider_subnet *to)
{
	struct nl_addr *destination = rtnl_route_get_dst(route);
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	uint32_t network = 0;

	if (!hop || !destination || rtnl_route_nh_get_ifindex(hop) != index ||
		rtnl_route_get_protocol(route) != RTPROT_STATIC ||
		rtnl_route_get_table(route) != RT_TABLE_MAIN)
		return false;
	if (nl_addr_get_len(destination) == sizeof(network))
		memcpy(&network, nl_addr_get_binary_addr(destination), sizeof(network));
	*to = (struct provider_subnet){ ntohl(network), (int)nl_addr_get_prefixlen(destination) };
	return true;
}

/* Index of the subnet in the list, or count. */
static size_t find_subnet(
	const struct provider_subnet *list, size_t count, struct provider_subnet wanted)
{
	uint32_t mask = provider_subnet_mask(wanted.prefix);
	size_t i = 0;

	while (i < count && (list[i].prefix != wanted.prefix ||
				    (list[i].address & mask) != (wanted.address & mask)))
		i++;
	return i;
}

/* Marks in present[] which of the wanted are there, and drops (or counts) the others. */
static int scan_routes(struct nl_sock *sock, int index, const struct provider_subnet *to,
	size_t count, bool drop, bool *present, size_t *others, struct zp_error *err)
{
	autocache *cache = NULL;
	int rc = rtnl_route_alloc_cache(sock, AF_INET, 0, &cache);

	*others = 0;
	if (rc < 0) {
		cache = NULL;
		return netlink_error(err, rc, "listing", "routes");
	}
	for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
		struct rtnl_route *route = (struct rtnl_route *)o;
		struct provider_subnet subnet;
		size_t at;

		if (!own_route(route, index, &subnet))
			continue;
		at = find_subnet(to, count, subnet);
		if (at < count) {
			present[at] = true;
			continue;
		}
		++*others;
		if (drop && (rc = rtnl_route_delete(sock, route, 0)) < 0 && rc != -NLE_OBJ_NOTFOUND)
			return netlink_error(err, rc, "removing", "a route");
	}
	return 0;
}

int provider_routes_set(
	const char *name, const struct provider_subnet *to, size_t count, struct zp_error *err)
{
	zp_autofree bool *present = zp_calloc(count ? count : 1, sizeof(*present));
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	size_t others;

	if (!sock || need_link(sock, name, &link, err) < 0 ||
		scan_routes(sock, rtnl_link_get_ifindex(link), to, count, true, present, &others,
			err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!present[i] && find_subnet(to, count, to[i]) == i &&
			provider_route_set(name, to[i], 0, err) < 0)
			return -1;
	return 0;
}

int provider_routes_are(const char *name, const struct provider_subnet *to, size_t count, bool *are,
	struct zp_error *err)
{
	zp_autofree bool *present = zp_calloc(count ? count : 1, sizeof(*present));
	struct nl_sock *sock = open_route(err);
	autolink *link = NULL;
	size_t others = 0;

	*are = false;
	if (!sock || find_link(sock, name, &link, err) < 0)
		return -1;
	if (!link)
		return 0;
	if (scan_routes(
		    sock, rtnl_link_get_ifindex(link), to, count, false, present, &others, err) < 0)
		return -1;
	*are = others == 0;
	for (size_t i = 0; i < count && *are; i++)
		*are = present[find_subnet(to, count, to[i])];
	return 0;
}
