#include "hcl-lite/identifier.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/intern.h"
#include "hcl-lite/syntax.h"

enum { START = 1, CONTINUE = 2 };

/* Only these ASCII characters count; a dash goes on but never starts. */
static const uint8_t ascii_classes[128] = {
	['a' ... 'z'] = START | CONTINUE,
	['A' ... 'Z'] = START | CONTINUE,
	['_'] = START | CONTINUE,
	['0' ... '9'] = CONTINUE,
	['-'] = CONTINUE,
};

size_t hcl_decode_rune(const char *text, size_t left, int32_t *rune)
{
	utf8proc_ssize_t n = utf8proc_iterate(
		(const utf8proc_uint8_t *)text, left > 4 ? 4 : (utf8proc_ssize_t)left, rune);

	return n > 0 ? (size_t)n : 0;
}

static bool is_other_start(int32_t rune)
{
	return rune == 0x1885 || rune == 0x1886 || rune == 0x2118 || rune == 0x212e ||
	       rune == 0x309b || rune == 0x309c;
}

static bool is_other_continue(int32_t rune)
{
	return rune == 0xb7 || rune == 0x387 || (rune >= 0x1369 && rune <= 0x1371) ||
	       rune == 0x19da;
}

static unsigned rune_class(int32_t rune)
{
	switch (utf8proc_category(rune)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_NL:
		return rune == 0x2e2f ? 0 : START | CONTINUE;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_PC:
		return CONTINUE;
	default:
		if (is_other_start(rune))
			return START | CONTINUE;
		return is_other_continue(rune) ? CONTINUE : 0;
	}
}

size_t hcl_identifier_length(const char *text, size_t left)
{
	size_t i = 0;
	unsigned need = START;

	while (i < left) {
		unsigned char c = (unsigned char)text[i];
		int32_t rune;
		if (c < 0x80) {
			if (!(ascii_classes[c] & need))
				break;
			i++;
		} else {
			size_t n = hcl_decode_rune(text + i, left - i, &rune);
			if (!n || !(rune_class(rune) & need))
				break;
			i += n;
		}
		need = CONTINUE;
	}
	return i;
}

bool hcl_is_identifier(struct zp_str text)
{
	return text.len && hcl_identifier_length(text.ptr, text.len) == text.len;
}

static bool is_ascii(struct zp_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	return true;
}

const char *hcl_intern_identifier(struct zp_str text)
{
	utf8proc_uint8_t *composed = NULL;

	if (is_ascii(text))
		return zp_intern(text);
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text.ptr,
		(utf8proc_ssize_t)text.len, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n < 0)
		return zp_intern(text);
	const char *name = zp_intern(zp_strn((const char *)composed, (size_t)n));
	free(composed);
	return name;
}
