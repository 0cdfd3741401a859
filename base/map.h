/*
 * Hash map from text to pointer; keys are slices the caller keeps alive. Iteration is in order of
 * insertion. Zero-initialised is empty.
 *
 *	struct zp_map map = { 0 };
 *	zp_map_set(&map, key, value);
 *	void *value = zp_map_get(&map, key);
 *	for (size_t i = 0; i < map.count; i++)
 *		use(map.entries[i].key, map.entries[i].value);
 *	zp_map_release(&map);
 */
#ifndef ZP_BASE_MAP_H
#define ZP_BASE_MAP_H

#include "base/str.h"

struct zp_map_entry {
	struct zp_str key;
	void *value;
	uint64_t hash;
};

struct zp_map {
	struct zp_map_entry *entries;
	size_t count, capacity;
	uint32_t *slots; /* index + 1 of an entry, 0 where free */
	size_t slot_count;
};

void zp_map_release(struct zp_map *map);
/* NULL when absent. */
void *zp_map_get(const struct zp_map *map, struct zp_str key);
bool zp_map_has(const struct zp_map *map, struct zp_str key);
/* Adds or replaces; gives the previous value or NULL. */
void *zp_map_set(struct zp_map *map, struct zp_str key, void *value);
/* The address of the value under key, added as NULL when absent; valid until the next change. */
void **zp_map_slot(struct zp_map *map, struct zp_str key);
/* Removes; the last entry takes the freed place. Gives the value or NULL. */
void *zp_map_remove(struct zp_map *map, struct zp_str key);

#endif
