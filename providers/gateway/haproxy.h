/*
 * HAProxy's configuration as text: one configuration and two maps for all the proxies of a node.
 * Pure functions of their arguments; proxies are written in the order given, so equal input gives
 * equal bytes.
 *
 * Port 80 answers by Host header. Port 443 looks at the TLS hello first when a proxy passes TLS
 * through (by SNI, untouched), and otherwise ends TLS at once. Both maps lead from a host name to a
 * backend.
 */
#ifndef PROVIDER_GATEWAY_HAPROXY_H
#define PROVIDER_GATEWAY_HAPROXY_H

#include "base/str.h"
#include "providers/gateway/spec.h"

struct provider_haproxy_proxy {
	const char *id;	  /* of the workload; a comment in the configuration */
	const char *fqdn; /* lower case, unique among the proxies; also names the backend */
	bool passthrough;
	const struct provider_gateway_backend *servers; /* as HAProxy reaches them */
	size_t server_count;
};

struct provider_haproxy_options {
	const char *address;	  /* the only one listened on */
	const char *stats_socket; /* path; through it a new worker takes over the listeners */
	const char *inner_socket; /* abstract name of the hop from hello inspection to TLS's end */
	const char *host_map, *sni_map; /* paths */
	const char *certificates;	/* path of the list of certificates */
};

void provider_haproxy_config(const struct provider_haproxy_options *options,
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out);
/* Lines "<fqdn> <backend>" of the proxies that pass TLS through, or of the others. */
void provider_haproxy_map(const struct provider_haproxy_proxy *proxies, size_t count,
	bool passthrough, struct zp_buf *out);

#endif
