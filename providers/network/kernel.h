/*
 * Links, addresses, routes and named network namespaces, through libnl. Every call acts in the
 * network namespace of the calling thread; provider_netns_run() takes a function into another one.
 * Making what is there already, and removing what is not, succeeds.
 *
 * Named namespaces are files under /run/netns, as `ip netns` keeps them.
 */
#ifndef PROVIDER_NETWORK_KERNEL_H
#define PROVIDER_NETWORK_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "providers/network/address.h"

struct provider_link {
	int index;  /* 0: there is no such link */
	int master; /* index of the bridge it is attached to, 0: none */
	int peer;   /* of a veth: index of the other end, in the other end's namespace */
	bool up;
	uint8_t mac[6];
	char kind[16]; /* "bridge", "veth", "tun", ... */
};

int provider_netns_make(const char *name, struct zp_error *err);
int provider_netns_remove(const char *name, struct zp_error *err);
bool provider_netns_exists(const char *name);
/* Runs fn on a thread of its own inside the namespace and gives what it returned. */
int provider_netns_run(const char *name, int (*fn)(void *data, struct zp_error *err), void *data,
	struct zp_error *err);

/* -1 only when the kernel can not be asked; a missing link has index 0. */
int provider_link_get(const char *name, struct provider_link *out, struct zp_error *err);
int provider_bridge_make(const char *name, const uint8_t mac[6], struct zp_error *err);
/* A pair with one end here and the other, with this MAC (NULL: any), in the named namespace. */
int provider_veth_make(const char *name, const char *netns, const char *peer, const uint8_t mac[6],
	struct zp_error *err);
int provider_link_remove(const char *name, struct zp_error *err);
int provider_link_up(const char *name, struct zp_error *err);
/* master NULL: detaches. */
int provider_link_attach(const char *name, const char *master, struct zp_error *err);
int provider_link_move(const char *name, const char *netns, struct zp_error *err);
int provider_link_mtu(const char *name, int mtu, struct zp_error *err);

/* The link has this IPv4 address and no other. */
int provider_address_set(const char *link, struct provider_subnet address, struct zp_error *err);
int provider_address_is(
	const char *link, struct provider_subnet address, bool *is, struct zp_error *err);
/* A route over the link; gateway 0: the destination is on it. {0, 0} is the default route. */
int provider_route_set(
	const char *link, struct provider_subnet to, uint32_t gateway, struct zp_error *err);
int provider_route_has(const char *link, struct provider_subnet to, uint32_t gateway, bool *has,
	struct zp_error *err);

/*
 * The routes over the link to destinations that are on it: these and no others (double ones count
 * once). Those the kernel makes by itself for the link's addresses are not looked at.
 */
int provider_routes_set(
	const char *link, const struct provider_subnet *to, size_t count, struct zp_error *err);
int provider_routes_are(const char *link, const struct provider_subnet *to, size_t count, bool *are,
	struct zp_error *err);

/* Writes /proc/sys/net/<path>. */
int provider_sysctl(const char *path, const char *value, struct zp_error *err);

#endif
