/* Numbers for Prometheus, in its text format. */
#ifndef SYNC_METRICS_H
#define SYNC_METRICS_H

#include "sync/config.h"
#include "sync/store.h"

void sync_metrics(const struct sync_config *config, struct sync_store *store, int running,
	struct zp_buf *out);

#endif
