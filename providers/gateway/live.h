/*
 * What the running HAProxy serves, and changes of it without a reload, whose time does not depend
 * on how many proxies there are: a proxy is put into a spare backend (slot), and then its name is
 * led there. Connections of others never notice.
 *
 *	provider_live_begin(&live, worker, &paths);	a generation was loaded
 *	provider_live_note(&live, proxy, text, slot);	... with this in it
 *	provider_live_spare(&live, mode, slot);		... and this slot empty
 *	provider_live_put(&live, node, proxy, text, certificate, err);
 *	provider_live_drop(&live, node, id, err);
 *
 * When a change fails in the middle, what is served is not known any more: everything is to be
 * loaded again. Not for several threads at once.
 */
#ifndef PROVIDER_GATEWAY_LIVE_H
#define PROVIDER_GATEWAY_LIVE_H

#include "base/map.h"
#include "base/vec.h"
#include "providers/gateway/haproxy.h"
#include "providers/gateway/store.h"

/* The names HAProxy knows its tables by; heap, the live's. */
struct provider_live_paths {
	char *host_map, *sni_map, *plain_map, *certificates;
};

struct provider_live_slot {
	enum provider_haproxy_mode mode;
	size_t number, servers;
};

struct provider_live {
	pid_t worker; /* of which all this is true; 0: nothing is known */
	bool inspects;
	struct provider_live_paths paths;
	struct zp_map entries;	/* id -> struct live_entry */
	struct zp_map networks; /* id of a network -> number of proxies into it, as a pointer */
	ZP_VEC(, size_t) spare[PROVIDER_HAPROXY_MODES];
	ZP_VEC(, struct provider_live_slot) left; /* with servers that could not be taken out yet */
	bool is_marked;				  /* HAProxy remembers that it was changed */
};

/* Nothing is known any more. */
void provider_live_forget(struct provider_live *live);
/* Takes the paths over. */
void provider_live_begin(struct provider_live *live, pid_t worker, bool inspects,
	const struct provider_live_paths *paths);
/* text: the proxy as it is stored. certificate: as of provider_live_put. */
void provider_live_note(struct provider_live *live, const struct provider_proxy *proxy,
	const char *text, const char *certificate, size_t slot);
void provider_live_spare(struct provider_live *live, enum provider_haproxy_mode mode, size_t slot);

/* Whether the proxy is served as this text has it; text NULL: whether it is not served. */
bool provider_live_is(const struct provider_live *live, const char *id, const char *text);
/* Whether its backend, if it has one, is like any other. */
bool provider_live_is_plain(const struct provider_live *live, const char *id);
/* Whether there is a slot for it, if need be one that others left meanwhile. */
bool provider_live_has_room(struct provider_live *live, const struct node_context *node,
	const struct provider_proxy *proxy);
size_t provider_live_count(const struct provider_live *live);
/* How many proxies lead into the network. */
size_t provider_live_users(const struct provider_live *live, const char *network);

/*
 * Serves a proxy, anew or otherwise than before. certificate: path of one that is the proxy's own,
 * or NULL. After an error nothing is known any more.
 */
int provider_live_put(struct provider_live *live, const struct node_context *node,
	const struct provider_proxy *proxy, const char *text, const char *certificate,
	struct zp_error *err);
/* Serves it no longer; what goes through it now may end by itself. */
int provider_live_drop(struct provider_live *live, const struct node_context *node, const char *id,
	struct zp_error *err);
/* Whether the HAProxy that runs was changed since it loaded its tables, by whatever agent. */
bool provider_live_was_changed(const struct node_context *node, const char *plain_map);

#endif
