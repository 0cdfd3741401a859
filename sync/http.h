/*
 * The HTTP side: webhooks, the API, metrics.
 *
 *	GET  /healthz					is it alive? without a token
 *	GET  /metrics					for Prometheus
 *	GET  /api/v1/status, /api/v1/history?stack=NAME&limit=N
 *	GET  /api/v1/stacks/NAME/plan			what waits, as Markdown
 *	POST /api/v1/stacks/NAME/approve, reject (?run=N), run
 *	POST /hooks, /hooks/REPOSITORY			pushes
 */
#ifndef SYNC_HTTP_H
#define SYNC_HTTP_H

#include "sync/controller.h"

struct sync_http;

/* NULL and err on failure. */
struct sync_http *sync_http_start(struct sync_controller *controller, const char *listen,
	struct zp_error *err);
void sync_http_stop(struct sync_http *http);
/* The port it listens on, which the system chose where the address says 0. */
int sync_http_port(const struct sync_http *http);

#endif
