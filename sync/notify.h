/*
 * Tells forges how commits fare: takes statuses out of the store and posts them, on a thread of its own. One
 * that can not be posted is tried again a few times, then given up.
 */
#ifndef SYNC_NOTIFY_H
#define SYNC_NOTIFY_H

#include "sync/controller.h"

struct sync_notifier;

struct sync_notifier *sync_notify_start(struct sync_controller *controller);
/* Ends the thread, after the request it is at. */
void sync_notify_stop(struct sync_notifier *notifier);

/* What is posted: address and JSON, as the repository's forge wants them. False: it wants none. */
bool sync_status_request(const struct sync_repository *repository, const struct sync_post *post,
	struct zp_buf *url, struct zp_buf *body);

#endif
