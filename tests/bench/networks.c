/*
 * networks.c N: makes N private networks as an agent does, by the same calls to the kernel, and nothing
 * else: no registry, no checks, nothing undone. Prints the seconds it took. Run it in network and mount
 * namespaces of its own (unshare -n -m), with a folder for N namespaces in $NETNS.
 */
#include <fcntl.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

static const char rules[] =
	"table ip zplan {\n"
	"chain postrouting { type nat hook postrouting priority srcnat\n oifname \"up0\" masquerade\n }\n"
	"chain forward { type filter hook forward priority filter\n"
	"iifname \"up0\" ct state established,related accept\n iifname \"up0\" ct status dnat accept\n"
	"iifname \"up0\" drop\n oifname \"w-*\" tcp flags syn tcp option maxseg size set rt mtu\n }\n}\n";

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "networks: %s\n", what);
	exit(1);
}

static struct nl_sock *open_socket(void)
{
	struct nl_sock *sock = nl_socket_alloc();

	check(!sock || nl_connect(sock, NETLINK_ROUTE) < 0, "netlink");
	return sock;
}

static int index_of(struct nl_sock *sock, const char *name)
{
	struct rtnl_link *link = NULL;

	check(rtnl_link_get_kernel(sock, 0, name, &link) < 0, name);
	int index = rtnl_link_get_ifindex(link);
	rtnl_link_put(link);
	return index;
}

static void link_up(struct nl_sock *sock, const char *name, int master)
{
	struct rtnl_link *link = NULL, *change = rtnl_link_alloc();

	check(rtnl_link_get_kernel(sock, 0, name, &link) < 0, name);
	rtnl_link_set_flags(change, IFF_UP);
	if (master)
		rtnl_link_set_master(change, master);
	check(rtnl_link_change(sock, link, change, 0) < 0, "link up");
	rtnl_link_put(link);
	rtnl_link_put(change);
}

static void add_address(struct nl_sock *sock, const char *name, const char *text)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	struct nl_addr *local = NULL;

	check(nl_addr_parse(text, AF_INET, &local) < 0, text);
	rtnl_addr_set_ifindex(address, index_of(sock, name));
	check(rtnl_addr_set_local(address, local) < 0 || rtnl_addr_add(sock, address, 0) < 0, text);
	nl_addr_put(local);
	rtnl_addr_put(address);
}

static void add_pair(struct nl_sock *sock, const char *name, const char *peer, int netns)
{
	struct rtnl_link *link = rtnl_link_veth_alloc(), *other = rtnl_link_veth_get_peer(link);

	rtnl_link_set_name(link, name);
	rtnl_link_set_name(other, peer);
	rtnl_link_set_ns_fd(other, netns);
	check(rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL) < 0, name);
	rtnl_link_put(other);
	rtnl_link_put(link);
}

static void add_bridge(struct nl_sock *sock, const char *name)
{
	struct rtnl_link *link = rtnl_link_alloc();

	rtnl_link_set_type(link, "bridge");
	rtnl_link_set_name(link, name);
	check(rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL) < 0, name);
	rtnl_link_put(link);
	link_up(sock, name, 0);
}

static void add_default_route(struct nl_sock *sock, const char *via)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *gateway = NULL, *all = NULL;

	check(nl_addr_parse(via, AF_INET, &gateway) < 0 ||
			nl_addr_parse("0.0.0.0/0", AF_INET, &all) < 0, via);
	rtnl_route_set_dst(route, all);
	rtnl_route_nh_set_gateway(hop, gateway);
	rtnl_route_nh_set_ifindex(hop, index_of(sock, "up0"));
	rtnl_route_add_nexthop(route, hop);
	check(rtnl_route_add(sock, route, 0) < 0, "default route");
	nl_addr_put(gateway);
	nl_addr_put(all);
	rtnl_route_put(route);
}

static void set_up_inside(const char *inner, const char *node)
{
	struct nl_sock *sock = open_socket();
	struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
	int fd;

	link_up(sock, "lo", 0);
	add_address(sock, "lan0", "10.1.1.1/24");
	link_up(sock, "lan0", 0);
	add_address(sock, "up0", inner);
	link_up(sock, "up0", 0);
	add_default_route(sock, node);
	check(nft_run_cmd_from_buffer(context, rules) != 0, "nftables");
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
	check(fd < 0 || write(fd, "1", 1) != 1, "ip_forward");
	close(fd);
	nft_ctx_free(context);
	nl_socket_free(sock);
}

static void make_network(struct nl_sock *sock, int node, int i)
{
	char path[256], bridge[16], lan[16], uplink[16], inner[32], outer[32], via[32];
	int base = i * 4, file;

	snprintf(path, sizeof(path), "%s/n%d", getenv("NETNS"), i);
	snprintf(bridge, sizeof(bridge), "b-%d", i);
	snprintf(lan, sizeof(lan), "v-%d", i);
	snprintf(uplink, sizeof(uplink), "u-%d", i);
	snprintf(via, sizeof(via), "100.127.%d.%d", base / 256, base % 256 + 1);
	snprintf(outer, sizeof(outer), "%s/30", via);
	snprintf(inner, sizeof(inner), "100.127.%d.%d/30", base / 256, base % 256 + 2);
	file = open(path, O_RDONLY | O_CREAT, 0444);
	check(file < 0 || close(file) < 0 || unshare(CLONE_NEWNET) < 0 ||
			mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0, path);
	int inside = open("/proc/thread-self/ns/net", O_RDONLY);
	check(setns(node, CLONE_NEWNET) < 0, "setns");
	add_pair(sock, lan, "lan0", inside);
	add_pair(sock, uplink, "up0", inside);
	add_bridge(sock, bridge);
	link_up(sock, lan, index_of(sock, bridge));
	add_address(sock, uplink, outer);
	link_up(sock, uplink, 0);
	check(setns(inside, CLONE_NEWNET) < 0, "setns");
	set_up_inside(inner, via);
	check(setns(node, CLONE_NEWNET) < 0, "setns");
	close(inside);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 500;
	int node = open("/proc/thread-self/ns/net", O_RDONLY);
	struct nl_sock *sock = open_socket();
	struct timespec start, end;

	/* Each has a /30 of 100.127.0.0/16. */
	check(count < 1 || count > 16384, "N is a number from 1 to 16384");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < count; i++)
		make_network(sock, node, i);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.2f\n", (double)(end.tv_sec - start.tv_sec) +
				 (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	nl_socket_free(sock);
	return 0;
}
