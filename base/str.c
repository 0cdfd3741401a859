#include "base/str.h"

#include <stdio.h>

#include "base/alloc.h"

bool zp_str_equal(struct zp_str a, struct zp_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool zp_str_is(struct zp_str a, const char *b)
{
	return zp_str_equal(a, zp_str(b));
}

int zp_str_compare(struct zp_str a, struct zp_str b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool zp_str_starts(struct zp_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && memcmp(s.ptr, prefix, n) == 0;
}

bool zp_str_ends(struct zp_str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && memcmp(s.ptr + s.len - n, suffix, n) == 0;
}

/* Multiply-and-fold over 8-byte words: quick, and good enough for tables of trusted size. */
uint64_t zp_str_hash(struct zp_str s)
{
	const uint64_t k = 0x9e3779b97f4a7c15ull;
	uint64_t h = s.len * k;

	while (s.len >= 8) {
		uint64_t word;
		memcpy(&word, s.ptr, 8);
		h = (h ^ word) * k;
		h ^= h >> 32;
		s.ptr += 8;
		s.len -= 8;
	}
	uint64_t tail = 0;
	if (s.len)
		memcpy(&tail, s.ptr, s.len);
	h = (h ^ tail) * k;
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ull;
	return h ^ h >> 32;
}

void zp_buf_release(struct zp_buf *buf)
{
	free(buf->ptr);
	*buf = (struct zp_buf)ZP_BUF_INIT;
}

void zp_buf_clear(struct zp_buf *buf)
{
	buf->len = 0;
	if (buf->ptr)
		buf->ptr[0] = 0;
}

void zp_buf_reserve(struct zp_buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;

	if (need <= buf->capacity)
		return;
	size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
	if (capacity < need)
		capacity = need;
	buf->ptr = zp_realloc(buf->ptr, capacity);
	buf->capacity = capacity;
	buf->ptr[buf->len] = 0;
}

void zp_buf_add(struct zp_buf *buf, const void *data, size_t len)
{
	zp_buf_reserve(buf, len);
	if (len)
		memcpy(buf->ptr + buf->len, data, len);
	buf->len += len;
	buf->ptr[buf->len] = 0;
}

void zp_buf_str(struct zp_buf *buf, struct zp_str s)
{
	zp_buf_add(buf, s.ptr, s.len);
}

void zp_buf_puts(struct zp_buf *buf, const char *s)
{
	zp_buf_add(buf, s, strlen(s));
}

void zp_buf_char(struct zp_buf *buf, char c)
{
	zp_buf_add(buf, &c, 1);
}

void zp_buf_pad(struct zp_buf *buf, char c, size_t count)
{
	zp_buf_reserve(buf, count);
	memset(buf->ptr + buf->len, c, count);
	buf->len += count;
	buf->ptr[buf->len] = 0;
}

void zp_buf_vprintf(struct zp_buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, fmt, ap);
	if (length > 0) {
		zp_buf_reserve(buf, (size_t)length);
		vsnprintf(buf->ptr + buf->len, (size_t)length + 1, fmt, again);
		buf->len += (size_t)length;
	}
	va_end(again);
}

void zp_buf_printf(struct zp_buf *buf, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	zp_buf_vprintf(buf, fmt, ap);
	va_end(ap);
}

void zp_buf_rune(struct zp_buf *buf, uint32_t rune)
{
	char bytes[4];
	size_t n;

	if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		rune = 0xfffd;
	if (rune < 0x80) {
		bytes[0] = (char)rune;
		n = 1;
	} else if (rune < 0x800) {
		bytes[0] = (char)(0xc0 | rune >> 6);
		n = 2;
	} else if (rune < 0x10000) {
		bytes[0] = (char)(0xe0 | rune >> 12);
		n = 3;
	} else {
		bytes[0] = (char)(0xf0 | rune >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		bytes[i] = (char)(0x80 | (rune >> (6 * (n - 1 - i)) & 0x3f));
	zp_buf_add(buf, bytes, n);
}

char *zp_buf_steal(struct zp_buf *buf)
{
	zp_buf_reserve(buf, 0);
	char *text = buf->ptr;
	*buf = (struct zp_buf)ZP_BUF_INIT;
	return text;
}

#define DISTANCE_MAX_LENGTH 128

size_t zp_str_distance(struct zp_str a, struct zp_str b)
{
	size_t row[DISTANCE_MAX_LENGTH + 1];

	if (a.len > DISTANCE_MAX_LENGTH || b.len > DISTANCE_MAX_LENGTH)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

const char *zp_str_suggest(struct zp_str name, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	size_t best_distance = 3;

	for (size_t i = 0; i < count; i++) {
		size_t distance = zp_str_distance(name, zp_str(candidates[i]));
		if (distance < best_distance) {
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}
