/*
 * A bump allocator: many small objects with one lifetime, released by one call.
 *
 *	struct zp_arena arena;
 *	zp_arena_init(&arena);
 *	struct thing *t = zp_new(&arena, struct thing);
 *	zp_arena_release(&arena);
 *
 * Not safe for concurrent use: whoever shares one brings a lock. In builds with AddressSanitizer every
 * object is allocated on its own, so that overruns are seen.
 */
#ifndef ZP_BASE_ARENA_H
#define ZP_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

struct zp_arena_block;

struct zp_arena {
	struct zp_arena_block *block; /* the newest; older ones are chained behind it */
	char *next, *end;	      /* free room in it */
	size_t total;		      /* bytes obtained from the heap */
};

void zp_arena_init(struct zp_arena *arena);
/* Frees every object; the arena may be used again. */
void zp_arena_release(struct zp_arena *arena);

/* Uninitialised memory, aligned to 8 bytes; size 0 gives a valid pointer. Never NULL. */
void *zp_arena_alloc(struct zp_arena *arena, size_t size);
/* Zeroed; aborts when count * size overflows. */
void *zp_arena_calloc(struct zp_arena *arena, size_t count, size_t size);
/* Memory without alignment, for text. */
char *zp_arena_text(struct zp_arena *arena, size_t size);

/* NUL-terminated copies. */
char *zp_arena_strdup(struct zp_arena *arena, const char *s);
char *zp_arena_strndup(struct zp_arena *arena, const char *s, size_t n);
struct zp_str zp_arena_str(struct zp_arena *arena, struct zp_str s);
char *zp_arena_format(struct zp_arena *arena, const char *fmt, ...) ZP_PRINTF(2, 3);
char *zp_arena_vformat(struct zp_arena *arena, const char *fmt, va_list ap);

#define zp_new(arena, type) ((type *)zp_arena_calloc((arena), 1, sizeof(type)))
#define zp_new_array(arena, type, n) ((type *)zp_arena_calloc((arena), (n), sizeof(type)))

#endif
