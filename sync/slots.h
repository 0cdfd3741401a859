/* What the controller knows of each stack while it runs. Under the controller's lock. */
#ifndef SYNC_SLOTS_H
#define SYNC_SLOTS_H

#include "base/map.h"
#include "sync/config.h"
#include "sync/store.h"

struct sync_slot {
	char *name;
	const struct sync_stack *stack; /* of the configuration in force; NULL: it is gone */
	bool running, asked;
	int64_t next_at;
	int64_t due_since; /* 0: it is not due */
	int64_t unreachable; /* see sync_turn */
};

struct sync_slots {
	struct zp_map by_name; /* values are slots */
};

static inline struct sync_slot *sync_slots_at(const struct sync_slots *slots, size_t i)
{
	return slots->by_name.entries[i].value;
}

struct sync_slot *sync_slots_find(const struct sync_slots *slots, const char *name);
/* A slot for every stack of the configuration, and one without stack for each the store knows besides. */
void sync_slots_update(struct sync_slots *slots, const struct sync_config *config,
	struct sync_store *store);
void sync_slots_remove(struct sync_slots *slots, struct sync_slot *slot);
/* Notes who is asked, and who is due since when. */
void sync_slots_look(struct sync_slots *slots, struct sync_store *store, int64_t now);
/* Those that are due and idle, who waits longest first. Heap array; *count is set. */
struct sync_slot **sync_slots_due(const struct sync_slots *slots, size_t *count);
void sync_slots_release(struct sync_slots *slots);
/* Whether it is its turn. */
bool sync_slot_is_due(const struct sync_slot *slot, int64_t now);
/* The stack this one has to wait for, or NULL. */
const char *sync_slots_awaited(const struct sync_slots *slots, const struct sync_slot *slot,
	struct sync_store *store, int64_t now);

#endif
