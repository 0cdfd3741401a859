#include "hcl-lite/grapheme.h"

#include <utf8proc.h>

#include "hcl-lite/value_internal.h"

uint32_t hcl_rune_at(struct zp_str text, size_t at, size_t *len)
{
	utf8proc_int32_t rune;
	utf8proc_ssize_t n = utf8proc_iterate(
		(const utf8proc_uint8_t *)text.ptr + at, (utf8proc_ssize_t)(text.len - at), &rune);

	*len = n > 0 ? (size_t)n : 1;
	return n > 0 ? (uint32_t)rune : 0xfffd;
}

size_t hcl_grapheme_end(struct zp_str text, size_t at)
{
	utf8proc_int32_t state = 0;
	size_t len;

	if (at >= text.len)
		return text.len;
	uint32_t previous = hcl_rune_at(text, at, &len);
	for (at += len; at < text.len; at += len) {
		/* Letters of ASCII never combine with what comes before them. */
		unsigned char c = (unsigned char)text.ptr[at];
		if (c < 0x80 && c != '\n')
			return at;
		uint32_t rune = hcl_rune_at(text, at, &len);
		if (utf8proc_grapheme_break_stateful(
			    (utf8proc_int32_t)previous, (utf8proc_int32_t)rune, &state))
			return at;
		previous = rune;
	}
	return text.len;
}

size_t hcl_grapheme_count(struct zp_str text)
{
	size_t count = 0;

	for (size_t at = 0; at < text.len; at = hcl_grapheme_end(text, at))
		count++;
	return count;
}

struct zp_str hcl_safe_prefix(struct zp_str text, size_t limit)
{
	size_t kept = 0;

	if (text.len > limit)
		text.len = limit;
	for (size_t at = 0; at < text.len;) {
		kept = at;
		at = hcl_grapheme_end(text, at);
	}
	return zp_strn(text.ptr, kept);
}
