/*
 * What is told of stacks and runs, to people and to programs.
 */
#ifndef SYNC_STATUS_H
#define SYNC_STATUS_H

#include "base/json.h"
#include "sync/config.h"
#include "sync/store.h"

/* An object with all stacks: {"stacks":[...]}. */
int sync_status_json(const struct sync_config *config, struct sync_store *store, struct zp_buf *out,
	struct zp_error *err);
int sync_status_text(const struct sync_config *config, struct sync_store *store, struct zp_buf *out,
	struct zp_error *err);
/* {"runs":[...]}, newest first; stack NULL: of all. */
int sync_history_json(struct sync_store *store, const char *stack, int limit, struct zp_buf *out,
	struct zp_error *err);
int sync_history_text(struct sync_store *store, const char *stack, int limit, struct zp_buf *out,
	struct zp_error *err);

#endif
