/*
 * The one HAProxy of a node: built from the stored proxies, started with the first, stopped after
 * the last. Changes of one proxy go into the running HAProxy (live.h) and take as long with a
 * thousand proxies as with one. It is reloaded, without dropping connections, where that is not
 * possible: no slot is left, its certificates are renewed, or nobody knows what it serves.
 *
 * Under <root>/gateway: haproxy.cfg, and beside it what it refers to, with a hash of everything in
 * the names (host-<hash>.map, sni-<hash>.map, plain-<hash>.map, crt-<hash>.list), so that
 * replacing haproxy.cfg switches all of it at once. Which hash runs is asked of HAProxy itself.
 */
#ifndef PROVIDER_GATEWAY_ENGINE_H
#define PROVIDER_GATEWAY_ENGINE_H

#include "node/context.h"
#include "providers/gateway/store.h"

/*
 * Makes HAProxy serve what is stored under id, or nothing where nothing is stored. A configuration
 * that HAProxy rejects leaves the running one in place. Calls from several threads share a reload.
 */
int provider_engine_change(struct node_context *node, const char *id, struct zp_error *err);
/*
 * To be called every second, as often as one likes: loads everything again when HAProxy was
 * restarted, or certificates were renewed or have to be.
 */
int provider_engine_watch(struct node_context *node, struct zp_error *err);
/* How many proxies lead into the network. */
size_t provider_engine_users(const char *network);
/*
 * The certificate to trust for the proxy's name, as PEM text, heap. NULL where that is not the
 * node's own authority: TLS is passed through, or node.hcl has a certificate for the name.
 */
char *provider_engine_authority(
	const struct node_context *node, const char *fqdn, bool passthrough);
#endif
