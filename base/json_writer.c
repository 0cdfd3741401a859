#include <inttypes.h>
#include <utf8proc.h>

#include "base/json.h"

void zp_json_writer_init(struct zp_json_writer *writer, struct zp_buf *out, bool pretty)
{
	*writer = (struct zp_json_writer){ .out = out, .pretty = pretty };
}

static void new_line(struct zp_json_writer *writer)
{
	if (!writer->pretty)
		return;
	zp_buf_char(writer->out, '\n');
	zp_buf_pad(writer->out, ' ', (size_t)writer->depth * 2);
}

/* What has to stand before a value or a key. */
static void separate(struct zp_json_writer *writer)
{
	if (writer->after_key) {
		writer->after_key = false;
		return;
	}
	if (writer->comma)
		zp_buf_char(writer->out, ',');
	if (writer->depth)
		new_line(writer);
}

static void begin(struct zp_json_writer *writer, char bracket)
{
	separate(writer);
	zp_buf_char(writer->out, bracket);
	writer->depth++;
	writer->comma = false;
}

static void end(struct zp_json_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->comma) /* an empty container stays on its line */
		new_line(writer);
	zp_buf_char(writer->out, bracket);
	writer->comma = true;
}

void zp_json_begin_object(struct zp_json_writer *writer)
{
	begin(writer, '{');
}

void zp_json_end_object(struct zp_json_writer *writer)
{
	end(writer, '}');
}

void zp_json_begin_array(struct zp_json_writer *writer)
{
	begin(writer, '[');
}

void zp_json_end_array(struct zp_json_writer *writer)
{
	end(writer, ']');
}

void zp_json_key_str(struct zp_json_writer *writer, struct zp_str key)
{
	separate(writer);
	zp_json_quote(writer->out, key, writer->html_safe);
	zp_buf_puts(writer->out, writer->pretty ? ": " : ":");
	writer->after_key = true;
}

void zp_json_key(struct zp_json_writer *writer, const char *key)
{
	zp_json_key_str(writer, zp_str(key));
}

void zp_json_raw(struct zp_json_writer *writer, struct zp_str json)
{
	separate(writer);
	zp_buf_str(writer->out, json);
	writer->comma = true;
}

void zp_json_null(struct zp_json_writer *writer)
{
	zp_json_raw(writer, ZP_STR("null"));
}

void zp_json_bool(struct zp_json_writer *writer, bool value)
{
	zp_json_raw(writer, value ? ZP_STR("true") : ZP_STR("false"));
}

void zp_json_int(struct zp_json_writer *writer, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	zp_json_raw(writer, zp_strn(text, (size_t)n));
}

void zp_json_string(struct zp_json_writer *writer, struct zp_str value)
{
	separate(writer);
	zp_json_quote(writer->out, value, writer->html_safe);
	writer->comma = true;
}

void zp_json_cstr(struct zp_json_writer *writer, const char *value)
{
	zp_json_string(writer, zp_str(value));
}

static void quote_control(struct zp_buf *out, unsigned char c)
{
	switch (c) {
	case '"':
		zp_buf_puts(out, "\\\"");
		break;
	case '\\':
		zp_buf_puts(out, "\\\\");
		break;
	case '\n':
		zp_buf_puts(out, "\\n");
		break;
	case '\r':
		zp_buf_puts(out, "\\r");
		break;
	case '\t':
		zp_buf_puts(out, "\\t");
		break;
	case '\b':
		zp_buf_puts(out, "\\b");
		break;
	case '\f':
		zp_buf_puts(out, "\\f");
		break;
	default:
		zp_buf_printf(out, "\\u%04x", c);
	}
}

/* Bytes of a sequence that starts with a non-ASCII byte, written in the form JSON wants. */
static size_t quote_rune(struct zp_buf *out, struct zp_str rest)
{
	utf8proc_int32_t rune;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)rest.ptr,
		(utf8proc_ssize_t)rest.len, &rune);

	if (n <= 0) {
		zp_buf_puts(out, "\\ufffd");
		return 1;
	}
	if (rune == 0x2028 || rune == 0x2029)
		zp_buf_printf(out, "\\u%04x", (unsigned)rune);
	else
		zp_buf_add(out, rest.ptr, (size_t)n);
	return (size_t)n;
}

static bool is_plain(unsigned char c, bool html_safe)
{
	if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80)
		return false;
	return !(html_safe && (c == '<' || c == '>' || c == '&'));
}

void zp_json_quote(struct zp_buf *out, struct zp_str text, bool html_safe)
{
	zp_buf_reserve(out, text.len + 2);
	zp_buf_char(out, '"');
	for (size_t i = 0; i < text.len;) {
		size_t start = i;
		while (i < text.len && is_plain((unsigned char)text.ptr[i], html_safe))
			i++;
		zp_buf_add(out, text.ptr + start, i - start);
		if (i == text.len)
			break;
		if ((unsigned char)text.ptr[i] >= 0x80)
			i += quote_rune(out, zp_strn(text.ptr + i, text.len - i));
		else
			quote_control(out, (unsigned char)text.ptr[i++]);
	}
	zp_buf_char(out, '"');
}

void zp_json_member(struct zp_json_writer *writer, const char *key, const char *text)
{
	if (!text)
		return;
	zp_json_key(writer, key);
	zp_json_cstr(writer, text);
}
