/*
 * Talking to the node's running HAProxy, through the master's socket and the worker's, and reading
 * what it complains about.
 */
#ifndef PROVIDER_GATEWAY_CONTROL_H
#define PROVIDER_GATEWAY_CONTROL_H

#include "node/context.h"

#define PROVIDER_HAPROXY_HELPER "haproxy" /* its name among the node's helpers */

/* Paths of the sockets, heap. */
char *provider_haproxy_stats_socket(const struct node_context *node);
char *provider_haproxy_master_socket(const struct node_context *node);

/* Whether the worker that answers has loaded a file with text in its path. */
bool provider_haproxy_has_loaded(struct node_context *node, const char *text);
/*
 * Whether the newest worker is alone at the listeners. While they share them, either may take the
 * next connection, and the earlier one knows nothing of a name just added.
 */
bool provider_haproxy_is_alone(const struct node_context *node);
/* The process of the worker that answers; 0 when none does. */
pid_t provider_haproxy_worker(struct node_context *node);
/*
 * Gives the worker a command and checks its answer: expected must be in it; NULL: there must be
 * none, which is how many commands say that all went well.
 */
int provider_haproxy_tell(const struct node_context *node, const char *command,
	const char *expected, struct zp_error *err);
/* Asks the master for new workers; what comes of it is seen with the two above. */
int provider_haproxy_reload(const struct node_context *node, struct zp_error *err);
/* Whether HAProxy runs and knows the name now; if not, the reason is added to message. */
bool provider_haproxy_serves(
	struct node_context *node, const char *fqdn, bool passthrough, struct zp_buf *message);

/* ": " and what the first few alerts in HAProxy's output say; nothing without alerts. */
void provider_haproxy_alerts(const char *text, struct zp_buf *out);
/* The same of its last start, from its log. */
void provider_haproxy_last_alerts(const struct node_context *node, struct zp_buf *out);

#endif
