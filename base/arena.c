#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/alloc.h"

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE_OBJECTS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE_OBJECTS 1
#endif
#endif

#define ALIGNMENT 16
#define FIRST_BLOCK 4096
#define LARGEST_BLOCK ((size_t)8 << 20)
#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE ((size_t)4096)
#define MAX_MAPPED ((size_t)1 << 40)

struct zp_arena_block {
	struct zp_arena_block *previous;
	size_t size; /* of the payload */
	size_t mapped; /* bytes to unmap; 0: of the heap */
	_Alignas(ALIGNMENT) char payload[];
};

void zp_arena_init(struct zp_arena *arena)
{
	*arena = (struct zp_arena){ 0 };
}

void zp_arena_release(struct zp_arena *arena)
{
	struct zp_arena_block *block = arena->block;

	while (block) {
		struct zp_arena_block *previous = block->previous;
		if (block->mapped)
			munmap(block, block->mapped);
		else
			free(block);
		block = previous;
	}
	zp_arena_init(arena);
}

/* Large blocks begin on a huge page: to be given a page at a time costs more than to use it. */
static struct zp_arena_block *map_block(size_t bytes)
{
	size_t room = bytes + HUGE_PAGE;
	char *start = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	char *aligned = (char *)(((uintptr_t)start + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	char *end = aligned + ((bytes + PAGE - 1) & ~(size_t)(PAGE - 1));
	if (aligned > start)
		munmap(start, (size_t)(aligned - start));
	if (end < start + room)
		munmap(end, (size_t)(start + room - end));
	struct zp_arena_block *block = (struct zp_arena_block *)aligned;
	block->mapped = (size_t)(end - aligned);
	madvise(block, block->mapped, MADV_HUGEPAGE);
	return block;
}

static struct zp_arena_block *allocate(size_t bytes)
{
	struct zp_arena_block *block =
		bytes >= HUGE_PAGE && bytes <= MAX_MAPPED ? map_block(bytes) : NULL;

	if (!block) {
		block = zp_malloc(bytes);
		block->mapped = 0;
	}
	return block;
}

static struct zp_arena_block *add_block(struct zp_arena *arena, size_t size)
{
	size_t bytes;
	if (__builtin_add_overflow(sizeof(struct zp_arena_block), size, &bytes))
		bytes = SIZE_MAX; /* aborts in zp_malloc, the one place for it */
	struct zp_arena_block *block = allocate(bytes);
	block->size = size;
	block->previous = arena->block;
	arena->block = block;
	arena->total += bytes;
	return block;
}

#ifdef SEPARATE_OBJECTS

void *zp_arena_alloc(struct zp_arena *arena, size_t size)
{
	return add_block(arena, size)->payload;
}

char *zp_arena_text(struct zp_arena *arena, size_t size)
{
	return add_block(arena, size)->payload;
}

#else

static void *from_new_block(struct zp_arena *arena, size_t size)
{
	size_t header = sizeof(struct zp_arena_block);
	size_t whole = arena->block ? (arena->block->size + header) * 2 : FIRST_BLOCK;
	if (whole > LARGEST_BLOCK)
		whole = LARGEST_BLOCK;
	size_t want = whole - header;
	if (size > want / 4) {
		/* A block of its own, behind the current one, whose room stays in use. */
		struct zp_arena_block *current = arena->block;
		struct zp_arena_block *block = add_block(arena, size);
		if (current) {
			block->previous = current->previous;
			current->previous = block;
			arena->block = current;
		} else {
			block->size = FIRST_BLOCK / 2 - header; /* the next block starts small */
		}
		return block->payload;
	}
	struct zp_arena_block *block = add_block(arena, want);
	arena->next = block->payload + size;
	arena->end = block->payload + want;
	return block->payload;
}

void *zp_arena_alloc(struct zp_arena *arena, size_t size)
{
	char *start = (char *)(((uintptr_t)arena->next + 7) & ~(uintptr_t)7);

	if (arena->next && start <= arena->end && size <= (size_t)(arena->end - start)) {
		arena->next = start + size;
		return start;
	}
	return from_new_block(arena, size);
}

char *zp_arena_text(struct zp_arena *arena, size_t size)
{
	char *start = arena->next;

	if (start && size <= (size_t)(arena->end - start)) {
		arena->next += size;
		return start;
	}
	return from_new_block(arena, size);
}

#endif

void *zp_arena_calloc(struct zp_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = SIZE_MAX;
	void *p = zp_arena_alloc(arena, bytes);
	return memset(p, 0, bytes);
}

char *zp_arena_strndup(struct zp_arena *arena, const char *s, size_t n)
{
	char *copy = zp_arena_text(arena, n + 1);

	if (n)
		memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

char *zp_arena_strdup(struct zp_arena *arena, const char *s)
{
	return zp_arena_strndup(arena, s, strlen(s));
}

struct zp_str zp_arena_str(struct zp_arena *arena, struct zp_str s)
{
	return zp_strn(zp_arena_strndup(arena, s.ptr, s.len), s.len);
}

char *zp_arena_vformat(struct zp_arena *arena, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, fmt, ap);
	if (length < 0)
		length = 0;
	char *text = zp_arena_text(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, fmt, again);
	va_end(again);
	return text;
}

char *zp_arena_format(struct zp_arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = zp_arena_vformat(arena, fmt, ap);
	va_end(ap);
	return text;
}
