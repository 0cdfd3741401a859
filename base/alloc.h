/*
 * Heap allocation that never returns NULL: out of memory prints one line and aborts, in one place.
 * Everything obtained here is released with free().
 */
#ifndef ZP_BASE_ALLOC_H
#define ZP_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

void *zp_malloc(size_t size);
/* Zeroed; aborts also when count * size overflows. */
void *zp_calloc(size_t count, size_t size);
void *zp_realloc(void *p, size_t size);
/* Resizes to count * size bytes, checked against overflow. */
void *zp_reallocarray(void *p, size_t count, size_t size);
char *zp_strdup(const char *s);
char *zp_strndup(const char *s, size_t n);
char *zp_format(const char *fmt, ...) ZP_PRINTF(1, 2);
char *zp_vformat(const char *fmt, va_list ap);

#endif
