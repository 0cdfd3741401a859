#include "base/map.h"

#include "base/alloc.h"

void zp_map_release(struct zp_map *map)
{
	free(map->entries);
	free(map->slots);
	*map = (struct zp_map){ 0 };
}

/* The slot that holds key, or the free one where it belongs. */
static size_t find_slot(const struct zp_map *map, struct zp_str key, uint64_t hash)
{
	size_t mask = map->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		if (!map->slots[i])
			return i;
		const struct zp_map_entry *entry = &map->entries[map->slots[i] - 1];
		if (entry->hash == hash && zp_str_equal(entry->key, key))
			return i;
	}
}

static void rebuild(struct zp_map *map, size_t slot_count)
{
	free(map->slots);
	map->slots = zp_calloc(slot_count, sizeof(*map->slots));
	map->slot_count = slot_count;
	for (size_t i = 0; i < map->count; i++) {
		const struct zp_map_entry *entry = &map->entries[i];
		map->slots[find_slot(map, entry->key, entry->hash)] = (uint32_t)i + 1;
	}
}

static struct zp_map_entry *find(const struct zp_map *map, struct zp_str key)
{
	if (!map->count)
		return NULL;
	uint32_t index = map->slots[find_slot(map, key, zp_str_hash(key))];
	return index ? &map->entries[index - 1] : NULL;
}

void *zp_map_get(const struct zp_map *map, struct zp_str key)
{
	const struct zp_map_entry *entry = find(map, key);

	return entry ? entry->value : NULL;
}

bool zp_map_has(const struct zp_map *map, struct zp_str key)
{
	return find(map, key) != NULL;
}

void **zp_map_slot(struct zp_map *map, struct zp_str key)
{
	if ((map->count + 1) * 4 > map->slot_count * 3)
		rebuild(map, map->slot_count ? map->slot_count * 2 : 16);

	uint64_t hash = zp_str_hash(key);
	size_t slot = find_slot(map, key, hash);
	if (map->slots[slot])
		return &map->entries[map->slots[slot] - 1].value;
	if (map->count == map->capacity) {
		map->capacity = map->capacity ? map->capacity * 2 : 8;
		map->entries =
			zp_reallocarray(map->entries, map->capacity, sizeof(*map->entries));
	}
	struct zp_map_entry *entry = &map->entries[map->count++];
	*entry = (struct zp_map_entry){ .key = key, .hash = hash };
	map->slots[slot] = (uint32_t)map->count;
	return &entry->value;
}

void *zp_map_set(struct zp_map *map, struct zp_str key, void *value)
{
	void **slot = zp_map_slot(map, key);
	void *previous = *slot;

	*slot = value;
	return previous;
}

/* Closes the gap a freed slot leaves in its probe chain. */
static void free_slot(struct zp_map *map, size_t hole)
{
	size_t mask = map->slot_count - 1;

	for (size_t i = (hole + 1) & mask; map->slots[i]; i = (i + 1) & mask) {
		size_t home = map->entries[map->slots[i] - 1].hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole] = 0;
}

void *zp_map_remove(struct zp_map *map, struct zp_str key)
{
	struct zp_map_entry *entry = find(map, key);
	if (!entry)
		return NULL;

	void *value = entry->value;
	free_slot(map, find_slot(map, entry->key, entry->hash));
	struct zp_map_entry *last = &map->entries[--map->count];
	if (entry != last) {
		map->slots[find_slot(map, last->key, last->hash)] =
			(uint32_t)(entry - map->entries) + 1;
		*entry = *last;
	}
	return value;
}
