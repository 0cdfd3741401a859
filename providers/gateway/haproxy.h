/*
 * HAProxy's configuration as text: one configuration and three maps for all the proxies of a node.
 * Pure functions of their arguments; proxies are written in the order given, so equal input gives
 * equal bytes.
 *
 * Port 80 answers by Host header. Port 443 looks at the TLS hello first when a proxy passes TLS
 * through (by SNI, untouched), and otherwise ends TLS at once. Maps lead from a host name to a
 * backend: of plain HTTP, of HTTP where TLS ended, and of TLS that goes on.
 *
 * Backends are slots: there are more of them than proxies, so that a proxy can be put into one
 * while HAProxy runs (live.h). Only one that asks its servers for a path needs a backend of its
 * own.
 */
#ifndef PROVIDER_GATEWAY_HAPROXY_H
#define PROVIDER_GATEWAY_HAPROXY_H

#include "base/str.h"
#include "providers/gateway/spec.h"

/* Two failed attempts to connect take a server out, one that succeeds brings it back. */
#define PROVIDER_HAPROXY_CHECK "check inter 2s fastinter 1s downinter 1s fall 2 rise 1"

enum provider_haproxy_mode { PROVIDER_HAPROXY_HTTP, PROVIDER_HAPROXY_TCP, PROVIDER_HAPROXY_MODES };

/* A proxy that passes TLS through has a backend of mode tcp, any other one of mode http. */
static inline enum provider_haproxy_mode provider_haproxy_mode(bool passthrough)
{
	return passthrough ? PROVIDER_HAPROXY_TCP : PROVIDER_HAPROXY_HTTP;
}

struct provider_haproxy_proxy {
	const char *id;	  /* of the workload; a comment in the configuration */
	const char *fqdn; /* lower case, unique among the proxies */
	bool passthrough, redirect;
	const char *health; /* path that servers must answer well; NULL: none */
	const struct provider_gateway_backend *servers; /* as HAProxy reaches them */
	size_t server_count;
	size_t slot; /* which of its mode's backends it has */
};

struct provider_haproxy_options {
	const char *address;	  /* the only one listened on */
	const char *stats_socket; /* path; through it a new worker takes over the listeners */
	const char *inner_socket; /* abstract name of the hop from hello inspection to TLS's end */
	const char *plain_map, *host_map, *sni_map; /* paths */
	const char *certificates;		    /* path of the list of certificates */
	bool inspects;				    /* the TLS hello */
	size_t slots[PROVIDER_HAPROXY_MODES]; /* backends; those beyond the proxies' are empty */
};

void provider_haproxy_config(const struct provider_haproxy_options *options,
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out);
/* Lines "<fqdn> <backend>" of the proxies of that mode: the maps of host names, and of SNI. */
void provider_haproxy_map(const struct provider_haproxy_proxy *proxies, size_t count,
	enum provider_haproxy_mode mode, struct zp_buf *out);
/* The same of plain HTTP. */
void provider_haproxy_plain_map(
	const struct provider_haproxy_proxy *proxies, size_t count, struct zp_buf *out);

/* "http_7" */
void provider_haproxy_slot_name(enum provider_haproxy_mode mode, size_t slot, struct zp_buf *out);
/* Where plain HTTP is led that is to be redirected. */
#define PROVIDER_HAPROXY_REDIRECT "to_https"
/* Address and how to speak to it, as a server's line and `add server` have them. */
void provider_haproxy_server(const struct provider_gateway_backend *server, struct zp_buf *out);

#endif
