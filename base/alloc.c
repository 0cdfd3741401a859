#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("zplan: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *zp_malloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *zp_calloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *zp_realloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

void *zp_reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		checked(NULL);
	return zp_realloc(p, bytes);
}

char *zp_strdup(const char *s)
{
	return zp_strndup(s, strlen(s));
}

char *zp_strndup(const char *s, size_t n)
{
	char *copy = zp_malloc(n + 1);

	if (n)
		memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

char *zp_vformat(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		checked(NULL);
	return text;
}

char *zp_format(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = zp_vformat(fmt, ap);
	va_end(ap);
	return text;
}
