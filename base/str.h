/*
 * Text: slices that own nothing (zp_str) and a growing buffer (zp_buf). Text is UTF-8 and may hold
 * any byte, NUL included, so lengths are always carried.
 */
#ifndef ZP_BASE_STR_H
#define ZP_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* A slice. ptr may be NULL only where len is 0. Not NUL-terminated unless said so. */
struct zp_str {
	const char *ptr;
	size_t len;
};

/* For printf: "%.*s", ZP_FMT(s) */
#define ZP_FMT(s) (int)(s).len, (s).ptr
#define ZP_STR(literal) ((struct zp_str){ (literal), sizeof(literal) - 1 })

static inline struct zp_str zp_str(const char *s)
{
	return (struct zp_str){ s, s ? strlen(s) : 0 };
}

static inline struct zp_str zp_strn(const char *s, size_t n)
{
	return (struct zp_str){ s, n };
}

bool zp_str_equal(struct zp_str a, struct zp_str b);
bool zp_str_is(struct zp_str a, const char *b);
/* Bytewise order; <0, 0, >0. */
int zp_str_compare(struct zp_str a, struct zp_str b);
bool zp_str_starts(struct zp_str s, const char *prefix);
bool zp_str_ends(struct zp_str s, const char *suffix);
uint64_t zp_str_hash(struct zp_str s);

/* A growing, always NUL-terminated buffer. Zero-initialised is empty and valid. */
struct zp_buf {
	char *ptr;
	size_t len, capacity;
};

#define ZP_BUF_INIT { NULL, 0, 0 }

void zp_buf_release(struct zp_buf *buf);
void zp_buf_clear(struct zp_buf *buf);
void zp_buf_reserve(struct zp_buf *buf, size_t more);
void zp_buf_add(struct zp_buf *buf, const void *data, size_t len);
void zp_buf_str(struct zp_buf *buf, struct zp_str s);
void zp_buf_puts(struct zp_buf *buf, const char *s);
void zp_buf_char(struct zp_buf *buf, char c);
void zp_buf_pad(struct zp_buf *buf, char c, size_t count);
void zp_buf_printf(struct zp_buf *buf, const char *fmt, ...) ZP_PRINTF(2, 3);
void zp_buf_vprintf(struct zp_buf *buf, const char *fmt, va_list ap);
/* Appends one code point as UTF-8; anything that is no scalar value becomes U+FFFD. */
void zp_buf_rune(struct zp_buf *buf, uint32_t rune);
/* The text as a heap string, never NULL; the buffer is empty afterwards. */
char *zp_buf_steal(struct zp_buf *buf);

static inline struct zp_str zp_buf_slice(const struct zp_buf *buf)
{
	return (struct zp_str){ buf->ptr ? buf->ptr : "", buf->len };
}

#define zp_autobuf zp_cleanup(zp_buf_release) struct zp_buf

/* Distance for did-you-mean: insertions, deletions, substitutions. */
size_t zp_str_distance(struct zp_str a, struct zp_str b);
/*
 * The candidate nearest to name, where near enough to be a slip of the hand, else NULL: a distance of
 * less than 3. The first of equals wins.
 */
const char *zp_str_suggest(struct zp_str name, const char *const *candidates, size_t count);

#endif
