/*
 * Typed growing arrays on the heap. Zero-initialised is empty.
 *
 *	ZP_VEC(ops, struct op *);          declares struct ops { struct op **items; size_t count, capacity; }
 *	struct ops list = { 0 };
 *	zp_vec_push(&list, op);
 *	zp_vec_release(&list);
 */
#ifndef ZP_BASE_VEC_H
#define ZP_BASE_VEC_H

#include "base/alloc.h"
#include "base/arena.h"

#define ZP_VEC(name, type)                                                                         \
	struct name {                                                                              \
		type *items;                                                                       \
		size_t count, capacity;                                                            \
	}

#define zp_vec_reserve(vec, want)                                                                  \
	do {                                                                                       \
		size_t zp_want_ = (want);                                                          \
		if (zp_want_ > (vec)->capacity) {                                                  \
			size_t zp_cap_ = (vec)->capacity ? (vec)->capacity * 2 : 8;                \
			if (zp_cap_ < zp_want_)                                                    \
				zp_cap_ = zp_want_;                                                \
			(vec)->items =                                                             \
				zp_reallocarray((vec)->items, zp_cap_, sizeof(*(vec)->items));     \
			(vec)->capacity = zp_cap_;                                                 \
		}                                                                                  \
	} while (0)

#define zp_vec_push(vec, item)                                                                     \
	do {                                                                                       \
		zp_vec_reserve((vec), (vec)->count + 1);                                           \
		(vec)->items[(vec)->count++] = (item);                                             \
	} while (0)

/* Appends a zeroed element and gives its address, valid until the next push. */
#define zp_vec_add(vec)                                                                            \
	({                                                                                         \
		zp_vec_reserve((vec), (vec)->count + 1);                                           \
		__typeof__((vec)->items) zp_new_ = &(vec)->items[(vec)->count++];                  \
		memset(zp_new_, 0, sizeof(*zp_new_));                                              \
		zp_new_;                                                                           \
	})

#define zp_vec_release(vec)                                                                        \
	do {                                                                                       \
		free((vec)->items);                                                                \
		(vec)->items = NULL;                                                               \
		(vec)->count = (vec)->capacity = 0;                                                \
	} while (0)

/* Copies the items into an arena; NULL when empty. */
#define zp_vec_to_arena(vec, arena)                                                                \
	((__typeof__((vec)->items))zp_vec_copy_((vec)->items,                                      \
		(vec)->count * sizeof(*(vec)->items), (arena)))

static inline void *zp_vec_copy_(const void *items, size_t bytes, struct zp_arena *arena)
{
	return bytes ? memcpy(zp_arena_alloc(arena, bytes), items, bytes) : NULL;
}

#endif
