#include "sync/slots.h"

#include <stdlib.h>

struct sync_slot *sync_slots_find(const struct sync_slots *slots, const char *name)
{
	for (size_t i = 0; i < slots->count; i++)
		if (strcmp(slots->items[i]->name, name) == 0)
			return slots->items[i];
	return NULL;
}

static struct sync_slot *find_or_add(struct sync_slots *slots, const char *name)
{
	struct sync_slot *slot = sync_slots_find(slots, name);

	if (slot)
		return slot;
	slot = zp_calloc(1, sizeof(*slot));
	slot->name = zp_strdup(name);
	zp_vec_push(slots, slot);
	return slot;
}

void sync_slots_update(struct sync_slots *slots, const struct sync_config *config,
	struct sync_store *store)
{
	char **names = sync_store_stacks(store);

	for (size_t i = 0; i < slots->count; i++)
		slots->items[i]->stack = NULL;
	for (size_t i = 0; i < config->stack_count; i++)
		find_or_add(slots, config->stacks[i].name)->stack = &config->stacks[i];
	for (char **name = names; *name; name++) {
		find_or_add(slots, *name);
		free(*name);
	}
	free(names);
}

void sync_slots_remove(struct sync_slots *slots, struct sync_slot *slot)
{
	for (size_t i = 0; i < slots->count; i++) {
		if (slots->items[i] != slot)
			continue;
		slots->items[i] = slots->items[--slots->count];
		free(slot->name);
		free(slot);
		return;
	}
}

void sync_slots_release(struct sync_slots *slots)
{
	while (slots->count)
		sync_slots_remove(slots, slots->items[0]);
	zp_vec_release(slots);
}

bool sync_slot_is_due(const struct sync_slot *slot, int64_t now)
{
	return slot->asked || now >= slot->next_at;
}

static bool is_ready(const struct sync_slot *slot, struct sync_store *store)
{
	struct sync_stack_row row = { 0 };
	struct sync_run run = { 0 };

	sync_store_stack(store, slot->name, &row, NULL);
	bool ready = *row.applied && !*row.failed && sync_store_open_run(store, slot->name, &run, NULL) == 0;
	sync_stack_row_release(&row);
	sync_run_release(&run);
	return ready;
}

const char *sync_slots_awaited(const struct sync_slots *slots, const struct sync_slot *slot,
	struct sync_store *store, int64_t now)
{
	for (const struct sync_stack **other = slot->stack->depends_on; *other; other++) {
		const struct sync_slot *before = sync_slots_find(slots, (*other)->name);
		if (!before || before->running || sync_slot_is_due(before, now) || !is_ready(before, store))
			return (*other)->name;
	}
	return NULL;
}
