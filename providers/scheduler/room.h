/*
 * Whether the nodes have room for what a plan adds: asked of each node that is to take more than it has now, before
 * anything is done.
 */
#ifndef PROVIDERS_SCHEDULER_ROOM_H
#define PROVIDERS_SCHEDULER_ROOM_H

#include "providers/provider.h"

/* Slot review of providers. Nodes that do not answer are left to the apply. */
void zos_review_room(struct provider_instance *instance, const struct provider_change *changes,
	size_t count, struct provider_problems *problems);

#endif
