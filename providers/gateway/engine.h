/*
 * The one HAProxy of a node: built from the stored proxies, started with the first, stopped after
 * the last, reloaded without dropping connections in between.
 *
 * Under <root>/gateway: haproxy.cfg, and beside it what it refers to, with a hash of everything in
 * the names (host-<hash>.map, sni-<hash>.map, crt-<hash>.list), so that replacing haproxy.cfg
 * switches all of it at once. Which hash runs is asked of HAProxy itself.
 */
#ifndef PROVIDER_GATEWAY_ENGINE_H
#define PROVIDER_GATEWAY_ENGINE_H

#include "node/context.h"

/*
 * Makes HAProxy run what is stored; nothing to do when it already does. A configuration that
 * HAProxy rejects leaves the running one in place. Calls from several threads share one reload.
 */
int provider_engine_apply(struct node_context *node, struct zp_error *err);
#endif
