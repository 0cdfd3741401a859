#include "hcl-lite/bytes.h"

#include <utf8proc.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hcl_base64_encode(struct zp_str data, struct zp_buf *out)
{
	const unsigned char *in = (const unsigned char *)data.ptr;

	for (size_t i = 0; i < data.len; i += 3) {
		size_t left = data.len - i;
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				(left > 2 ? in[i + 2] : 0);
		char text[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
			left > 1 ? digits[bits >> 6 & 63] : '=',
			left > 2 ? digits[bits & 63] : '=' };
		zp_buf_add(out, text, sizeof(text));
	}
}

static size_t skip_breaks(struct zp_str text, size_t at)
{
	while (at < text.len && (text.ptr[at] == '\n' || text.ptr[at] == '\r'))
		at++;
	return at;
}

/* Only padding and line breaks may follow; n digits of the last group came before. */
static bool end_of_text(struct zp_str text, size_t *at, size_t n)
{
	size_t padding = 0;

	while (*at < text.len) {
		if (text.ptr[*at] != '=' || padding == 4 - n)
			return false;
		padding++;
		*at = skip_breaks(text, *at + 1);
	}
	return padding == 4 - n;
}

bool hcl_base64_decode(struct zp_str text, struct zp_buf *out, size_t *where)
{
	size_t at = skip_breaks(text, 0);

	for (;;) {
		uint32_t bits = 0;
		size_t n = 0;
		while (n < 4 && at < text.len && text.ptr[at] != '=') {
			const char *digit = text.ptr[at] ? strchr(digits, text.ptr[at]) : NULL;
			*where = at;
			if (!digit)
				return false;
			bits = bits << 6 | (uint32_t)(digit - digits);
			n++;
			at = skip_breaks(text, at + 1);
		}
		*where = at;
		if (n == 0 && at == text.len)
			return true;
		if (n < 2)
			return false;
		bits <<= 6 * (4 - n);
		char data[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
		zp_buf_add(out, data, n - 1);
		if (n < 4)
			return end_of_text(text, where, n);
	}
}

bool hcl_is_utf8(struct zp_str text)
{
	for (size_t i = 0; i < text.len;) {
		utf8proc_int32_t rune;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + i,
			(utf8proc_ssize_t)(text.len - i), &rune);
		if (n <= 0)
			return false;
		i += (size_t)n;
	}
	return true;
}

void hcl_hex_encode(struct zp_str data, struct zp_buf *out)
{
	for (size_t i = 0; i < data.len; i++)
		zp_buf_printf(out, "%02x", (unsigned char)data.ptr[i]);
}
