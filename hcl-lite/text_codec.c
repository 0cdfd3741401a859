/*
 * Values as people see them in console and output.
 */
#include "hcl-lite/codec.h"
#include "hcl-lite/number.h"
#include "hcl-lite/value_internal.h"

static void put_null(struct zp_buf *out, const struct hcl_type *type)
{
	switch (type->kind) {
	case HCL_BOOL:
	case HCL_NUMBER:
	case HCL_STRING:
		zp_buf_puts(out, "to");
		hcl_type_friendly(type, out);
		zp_buf_puts(out, "(null)");
		break;
	case HCL_LIST:
	case HCL_SET:
	case HCL_MAP:
		zp_buf_printf(out, "to%s(null) /* of ",
			type->kind == HCL_LIST	? "list"
			: type->kind == HCL_SET ? "set"
						: "map");
		hcl_type_friendly(type->element, out);
		zp_buf_puts(out, " */");
		break;
	case HCL_TUPLE:
		zp_buf_puts(out, "null /* tuple */");
		break;
	case HCL_OBJECT:
		zp_buf_puts(out, "null /* object */");
		break;
	case HCL_DYNAMIC:
		zp_buf_puts(out, "null");
	}
}

static struct zp_str next_line(struct zp_str *rest)
{
	const char *end = memchr(rest->ptr, '\n', rest->len);
	struct zp_str line = { rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len };
	size_t used = line.len + (end ? 1 : 0);

	rest->ptr = end ? rest->ptr + used : NULL;
	rest->len -= used;
	return line;
}

static struct zp_str trimmed(struct zp_str s)
{
	while (s.len && strchr(" \t\r\v\f", s.ptr[0]) && s.ptr[0]) {
		s.ptr++;
		s.len--;
	}
	while (s.len && strchr(" \t\r\v\f", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
		s.len--;
	return s;
}

static bool has_line(struct zp_str text, struct zp_str wanted)
{
	while (text.ptr)
		if (zp_str_equal(trimmed(next_line(&text)), wanted))
			return true;
	return false;
}

/* The end marker gets underscores until no line of the text equals it. */
static void put_heredoc(struct zp_buf *out, struct zp_str text, uint32_t indent)
{
	zp_autobuf marker = ZP_BUF_INIT;

	zp_buf_puts(&marker, "EOT");
	while (has_line(text, zp_buf_slice(&marker)))
		zp_buf_char(&marker, '_');
	zp_buf_puts(out, indent ? "<<-" : "<<");
	zp_buf_str(out, zp_buf_slice(&marker));
	while (text.ptr) {
		struct zp_str line = next_line(&text);
		zp_buf_char(out, '\n');
		zp_buf_pad(out, ' ', indent);
		zp_buf_str(out, line);
	}
	zp_buf_char(out, '\n');
	zp_buf_pad(out, ' ', indent);
	zp_buf_str(out, zp_buf_slice(&marker));
}

static void put_mapping(struct zp_buf *out, struct hcl_value v, uint32_t indent)
{
	zp_buf_char(out, '{');
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);) {
		zp_buf_char(out, '\n');
		zp_buf_pad(out, ' ', indent + 2);
		hcl_value_to_text(out, it.key, indent + 2);
		zp_buf_puts(out, " = ");
		hcl_value_to_text(out, it.value, indent + 2);
	}
	if (v.count) {
		zp_buf_char(out, '\n');
		zp_buf_pad(out, ' ', indent);
	}
	zp_buf_char(out, '}');
}

static void put_sequence(struct zp_buf *out, struct hcl_value v, uint32_t indent)
{
	zp_buf_char(out, '[');
	for (uint32_t i = 0; i < v.count; i++) {
		zp_buf_char(out, '\n');
		zp_buf_pad(out, ' ', indent + 2);
		hcl_value_to_text(out, v.elements[i], indent + 2);
		zp_buf_char(out, ',');
	}
	if (v.count) {
		zp_buf_char(out, '\n');
		zp_buf_pad(out, ' ', indent);
	}
	zp_buf_char(out, ']');
}

static void put_known(struct zp_buf *out, struct hcl_value v, uint32_t indent)
{
	switch (v.type->kind) {
	case HCL_BOOL:
		zp_buf_puts(out, v.boolean ? "true" : "false");
		break;
	case HCL_NUMBER:
		hcl_number_text(v, out);
		break;
	case HCL_STRING:
		if (memchr(v.text, '\n', v.count))
			put_heredoc(out, hcl_text(v), indent);
		else
			hcl_go_quote(out, hcl_text(v));
		break;
	case HCL_OBJECT:
		put_mapping(out, v, indent);
		break;
	case HCL_TUPLE:
		put_sequence(out, v, indent);
		break;
	case HCL_MAP:
		zp_buf_puts(out, "tomap(");
		put_mapping(out, v, indent);
		zp_buf_char(out, ')');
		break;
	default:
		zp_buf_puts(out, v.type->kind == HCL_LIST ? "tolist(" : "toset(");
		put_sequence(out, v, indent);
		zp_buf_char(out, ')');
	}
}

void hcl_value_to_text(struct zp_buf *out, struct hcl_value v, uint32_t indent)
{
	if (v.marks & HCL_CONSOLE_TYPE && v.state == HCL_KNOWN && v.type == hcl_string)
		zp_buf_str(out, hcl_text(v));
	else if (v.state == HCL_UNKNOWN)
		zp_buf_puts(out, "(known after apply)");
	else if (v.marks & HCL_SENSITIVE)
		zp_buf_puts(out, "(sensitive value)");
	else if (v.marks & HCL_EPHEMERAL)
		zp_buf_puts(out, "(ephemeral value)");
	else if (v.state == HCL_NULL)
		put_null(out, v.type);
	else
		put_known(out, v, indent);
}

/* The next code point; invalid bytes are taken one by one as they are. */
static uint32_t next_rune(struct zp_str text, size_t *at)
{
	unsigned char c = (unsigned char)text.ptr[*at];
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t rune = n == 1 ? c : c & (0x7fu >> n);

	if (*at + n > text.len)
		n = 1;
	for (size_t i = 1; i < n; i++)
		rune = rune << 6 | ((unsigned char)text.ptr[*at + i] & 0x3f);
	*at += n;
	return rune;
}

void hcl_quote(struct zp_buf *out, struct zp_str text)
{
	zp_buf_char(out, '"');
	for (size_t i = 0; i < text.len;) {
		uint32_t rune = next_rune(text, &i);
		switch (rune) {
		case '\n':
			zp_buf_puts(out, "\\n");
			break;
		case '\r':
			zp_buf_puts(out, "\\r");
			break;
		case '\t':
			zp_buf_puts(out, "\\t");
			break;
		case '"':
		case '\\':
			zp_buf_char(out, '\\');
			zp_buf_char(out, (char)rune);
			break;
		case '$':
		case '%':
			zp_buf_char(out, (char)rune);
			if (i < text.len && text.ptr[i] == '{')
				zp_buf_char(out, (char)rune);
			break;
		default:
			if (hcl_rune_printable(rune))
				zp_buf_rune(out, rune);
			else
				zp_buf_printf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
		}
	}
	zp_buf_char(out, '"');
}
