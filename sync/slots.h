/* What the controller knows of each stack while it runs. Under the controller's lock. */
#ifndef SYNC_SLOTS_H
#define SYNC_SLOTS_H

#include "base/vec.h"
#include "sync/config.h"
#include "sync/store.h"

struct sync_slot {
	char *name;
	const struct sync_stack *stack; /* of the configuration in force; NULL: it is gone */
	bool running, asked;
	int64_t next_at;
	int64_t unreachable; /* see sync_turn */
};

ZP_VEC(sync_slots, struct sync_slot *);

struct sync_slot *sync_slots_find(const struct sync_slots *slots, const char *name);
/* A slot for every stack of the configuration, and one without stack for each the store knows besides. */
void sync_slots_update(struct sync_slots *slots, const struct sync_config *config,
	struct sync_store *store);
void sync_slots_remove(struct sync_slots *slots, struct sync_slot *slot);
void sync_slots_release(struct sync_slots *slots);
/* Whether it is its turn. */
bool sync_slot_is_due(const struct sync_slot *slot, int64_t now);
/* The stack this one has to wait for, or NULL. */
const char *sync_slots_awaited(const struct sync_slots *slots, const struct sync_slot *slot,
	struct sync_store *store, int64_t now);

#endif
