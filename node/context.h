/*
 * What a workload type may use of the node it runs on. Calls into workload types are serialised by
 * the agent per workload id; different workloads may run at once, so shared things take locks.
 *
 * Layout of a node's root folder (0700): registry.db, agent.sock, agent.log, agent.pid, workloads/<id>/
 * (a folder per workload, for whatever it keeps), cache/ (content by hash), run/ (sockets, pids;
 * emptied at a reboot), libvirt/ (the embedded driver's root).
 */
#ifndef NODE_CONTEXT_H
#define NODE_CONTEXT_H

#include <sys/types.h>

#include "node/workload.h"

struct node_context;

/* Absolute paths, no slash at the end; valid as long as the context. */
const char *node_root(const struct node_context *node);
const char *node_name(const struct node_context *node);
/* Unique for the node on this host and short (at most 6 of [a-z0-9]); prefix of host-wide names. */
const char *node_tag(const struct node_context *node);
/* From /etc/zplan/node.hcl or the sandbox: DNS domain of gateway names, "" when there is none. */
const char *node_domain(const struct node_context *node);
/* The interface towards the internet, and its IPv4 address without prefix ("" when there is none). */
const char *node_wan_interface(const struct node_context *node);
const char *node_wan_address(const struct node_context *node);
/*
 * Public addresses for workloads: a bridge towards the internet ("": the node has none to give), its
 * gateway, and what may be leased: "203.0.113.10/24" or "203.0.113.10-203.0.113.20/24".
 */
const char *node_public_bridge(const struct node_context *node);
const char *node_public_gateway(const struct node_context *node);
/* The /64 that routers announce there, "2001:db8::/64"; "" when there is none. */
const char *node_public_prefix6(const struct node_context *node);
const char *const *node_public_addresses(const struct node_context *node, size_t *count);
/* Files, each with a key, its certificate and maybe a chain, for names that gateways end TLS of. */
/*
 * Where to read a URL's content instead, when the node has a mirror for what it begins with (the longest such
 * beginning counts): the rest is put behind the mirror's own URL. Heap, or NULL when there is none.
 */
char *node_mirror_of(const struct node_context *node, const char *url);
const char *const *node_gateway_certificates(const struct node_context *node, size_t *count);
/*
 * The planetary network: whether node.hcl says that the node is part of it, and the peers it calls and the
 * addresses it listens on ("tls://203.0.113.9:9001").
 */
bool node_is_planetary(const struct node_context *node);
const char *const *node_planetary_peers(const struct node_context *node, size_t *count);
const char *const *node_planetary_listen(const struct node_context *node, size_t *count);
/* "" for the embedded driver under <root>/libvirt, else a libvirt URI. */
const char *node_libvirt_uri(const struct node_context *node);
/* "kvm", "tcg", or "" to find out. */
const char *node_acceleration(const struct node_context *node);

/* <root>/workloads/<id with / as ~>, made when missing. Heap string or NULL. */
char *node_workload_dir(struct node_context *node, const char *id, struct zp_error *err);
int node_workload_dir_remove(struct node_context *node, const char *id, struct zp_error *err);

/*
 * A kernel object name from an identity: prefix, "-", and a hash in base 32, 15 characters in all, the
 * same every time: node_short_name("b", id, out) -> "b-k3v9q2m7x1c0".  out has room for 16.
 */
void node_short_name(const char *prefix, const char *tag, const char *id, char out[16]);

/* Registry: other workloads of this node. Copies; free with node_workload_free(). */
struct node_workload *node_find(struct node_context *node, const char *id);
/* Whether the workload w may refer to the one called id: its tenant's own, if it is there at all. */
int node_check_own(struct node_context *node, const struct node_workload *w, const char *id,
	struct zp_error *err);
/* Calls fn for every registered workload of the type (NULL: all) until it returns false. */
void node_each(struct node_context *node, const char *type,
	bool (*fn)(void *data, const struct node_workload *w), void *data);
void node_workload_free(struct node_workload *w);

/*
 * Leases: a named pool gives each holder one member, the same again when asked again.
 * node_lease_int takes the lowest free number in [from, to] of the pool.
 */
int node_lease_int(struct node_context *node, const char *pool, const char *holder, int64_t from,
	int64_t to, int64_t *out, struct zp_error *err);
/* Takes exactly this member (text); fails when another holder has it, naming that holder. */
int node_lease_take(struct node_context *node, const char *pool, const char *holder,
	const char *member, struct zp_error *err);
/* Gives back all the holder has in the pool (NULL: in all pools). */
int node_lease_release(struct node_context *node, const char *pool, const char *holder,
	struct zp_error *err);

/*
 * Helper processes, restarted by the supervisor when they die (at most 4 times in 2 minutes, then the
 * workload is degraded). Known by name; starting a running one with the same arguments does nothing,
 * with other arguments restarts it. They outlive the agent and are adopted by the next one (pid file
 * with start time under run/). Output goes to <root>/run/<name>.log.
 */
int node_helper_start(struct node_context *node, const char *name, const char *const argv[],
	struct zp_error *err);
int node_helper_stop(struct node_context *node, const char *name, struct zp_error *err);
/* The pid while it runs, else 0. */
pid_t node_helper_pid(struct node_context *node, const char *name);

/* Reports progress of a long ensure to whoever waits for it. */
void node_progress(struct node_context *node, const char *id, const char *fmt, ...) ZP_PRINTF(3, 4);

#endif
