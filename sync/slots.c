#include "sync/slots.h"

#include <stdlib.h>

#include "base/alloc.h"

struct sync_slot *sync_slots_find(const struct sync_slots *slots, const char *name)
{
	return zp_map_get(&slots->by_name, zp_str(name));
}

static struct sync_slot *find_or_add(struct sync_slots *slots, const char *name)
{
	struct sync_slot *slot = sync_slots_find(slots, name);

	if (slot)
		return slot;
	slot = zp_calloc(1, sizeof(*slot));
	slot->name = zp_strdup(name);
	zp_map_set(&slots->by_name, zp_str(slot->name), slot);
	return slot;
}

void sync_slots_update(struct sync_slots *slots, const struct sync_config *config,
	struct sync_store *store)
{
	char **names = sync_store_stacks(store);

	for (size_t i = 0; i < slots->by_name.count; i++)
		sync_slots_at(slots, i)->stack = NULL;
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
	zp_map_remove(&slots->by_name, zp_str(slot->name));
	free(slot->name);
	free(slot);
}

void sync_slots_release(struct sync_slots *slots)
{
	while (slots->by_name.count)
		sync_slots_remove(slots, sync_slots_at(slots, 0));
	zp_map_release(&slots->by_name);
}

static void note_asked(void *data, const char *name)
{
	struct sync_slot *slot = sync_slots_find(data, name);

	if (slot)
		slot->asked = true;
}

void sync_slots_look(struct sync_slots *slots, struct sync_store *store, int64_t now)
{
	for (size_t i = 0; i < slots->by_name.count; i++)
		sync_slots_at(slots, i)->asked = false;
	sync_store_queue(store, note_asked, slots, NULL);
	for (size_t i = 0; i < slots->by_name.count; i++) {
		struct sync_slot *slot = sync_slots_at(slots, i);
		if (!sync_slot_is_due(slot, now))
			slot->due_since = 0;
		else if (!slot->due_since)
			slot->due_since = now;
	}
}

static int longest_first(const void *a, const void *b)
{
	const struct sync_slot *x = *(struct sync_slot *const *)a, *y = *(struct sync_slot *const *)b;

	return (x->due_since > y->due_since) - (x->due_since < y->due_since);
}

struct sync_slot **sync_slots_due(const struct sync_slots *slots, size_t *count)
{
	struct sync_slot **due = zp_calloc(slots->by_name.count + 1, sizeof(*due));

	*count = 0;
	for (size_t i = 0; i < slots->by_name.count; i++) {
		struct sync_slot *slot = sync_slots_at(slots, i);
		if (slot->due_since && !slot->running)
			due[(*count)++] = slot;
	}
	qsort(due, *count, sizeof(*due), longest_first);
	return due;
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
