/*
 * The proxies a node serves, one file each under <root>/gateway/proxies/. The files, not the
 * registry, are what HAProxy's configuration is built from: a proxy that could not be put in place
 * is taken out again and never stands in the way of the others. Files are replaced whole; readers
 * need no lock.
 */
#ifndef PROVIDER_GATEWAY_STORE_H
#define PROVIDER_GATEWAY_STORE_H

#include <cjson/cJSON.h>

#include "node/context.h"
#include "providers/gateway/spec.h"
#include "providers/network/firewall.h"

struct provider_proxy {
	char *id;   /* of the workload */
	char *fqdn; /* lower case */
	bool passthrough, redirect;
	struct provider_gateway_backend
		servers[PROVIDER_GATEWAY_MAX_BACKENDS]; /* as HAProxy sees them */
	size_t server_count;
	char *health;  /* as of the spec; NULL: none */
	char *network; /* NULL: none */
	/* With a network: forwards[i] leads from servers[i] to the machine. */
	struct provider_forward forwards[PROVIDER_GATEWAY_MAX_BACKENDS];
};

struct provider_proxy_list {
	struct provider_proxy *items; /* ordered by fqdn */
	size_t count, capacity;
};

void provider_proxy_release(struct provider_proxy *proxy);
void provider_proxy_list_release(struct provider_proxy_list *list);

/* Text to store and to compare: equal proxies, equal text. Heap. */
char *provider_proxy_encode(const struct provider_proxy *proxy);
int provider_proxy_decode(const char *text, struct provider_proxy *proxy, struct zp_error *err);

/* <root>/gateway; heap. */
char *provider_gateway_folder(const struct node_context *node);
/* The stored text, heap; *text is NULL when the proxy is not there. */
int provider_store_get(
	const struct node_context *node, const char *id, char **text, struct zp_error *err);
/* text NULL removes; nothing there is fine. */
int provider_store_put(
	const struct node_context *node, const char *id, const char *text, struct zp_error *err);
int provider_store_list(
	const struct node_context *node, struct provider_proxy_list *out, struct zp_error *err);

#define provider_autoproxy zp_cleanup(provider_proxy_release) struct provider_proxy
#define provider_autoproxies zp_cleanup(provider_proxy_list_release) struct provider_proxy_list

#endif
