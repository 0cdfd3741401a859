/* Helpers over JSON text. */
#include "state/state_internal.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static size_t skip_blank(struct zp_str text, size_t at)
{
	while (at < text.len && is_blank(text.ptr[at]))
		at++;
	return at;
}

/* From an opening quote to behind the closing one. */
static struct zp_str raw_text(struct zp_str json, size_t at)
{
	size_t end = at + 1;

	while (end < json.len && json.ptr[end] != '"')
		end += json.ptr[end] == '\\' ? 2 : 1;
	end = end < json.len ? end + 1 : json.len;
	return zp_strn(json.ptr + at, end - at);
}

/* The same characters, whatever of them is escaped. */
static bool same_text(struct zp_str a, struct zp_str b)
{
	struct zp_json left, right;
	struct zp_str x, y;

	if (zp_str_equal(a, b))
		return true;
	if (!memchr(a.ptr, '\\', a.len) && !memchr(b.ptr, '\\', b.len))
		return false;
	zp_json_init(&left, a);
	zp_json_init(&right, b);
	bool same = zp_json_read_string(&left, &x) && zp_json_read_string(&right, &y) &&
		zp_str_equal(x, y);
	zp_json_release(&left);
	zp_json_release(&right);
	return same;
}

bool state_json_equal(struct zp_str a, struct zp_str b)
{
	size_t i = 0, j = 0;

	for (;;) {
		i = skip_blank(a, i);
		j = skip_blank(b, j);
		if (i >= a.len || j >= b.len)
			return i >= a.len && j >= b.len;
		if (a.ptr[i] != b.ptr[j])
			return false;
		if (a.ptr[i] == '"') {
			struct zp_str x = raw_text(a, i), y = raw_text(b, j);
			if (!same_text(x, y))
				return false;
			i += x.len;
			j += y.len;
		} else {
			i++;
			j++;
		}
	}
}

/* Bytes a text cannot simply be copied over: its end, escapes, and what the writer escapes. */
static const bool stops[256] = { ['"'] = true, ['\\'] = true, ['<'] = true, ['>'] = true,
	['&'] = true, [0xe2] = true };

/* The byte at `at`, which stops: copied or escaped. Gives how many bytes were consumed. */
static size_t copy_stop(struct zp_buf *out, struct zp_str text, size_t at, bool html_safe)
{
	const char *p = text.ptr + at;
	size_t left = text.len - at;

	if (*p == '\\' && left > 1) {
		zp_buf_add(out, p, 2);
		return 2;
	}
	if (left > 2 && memcmp(p, "\xe2\x80", 2) == 0 && (p[2] == '\xa8' || p[2] == '\xa9')) {
		zp_buf_puts(out, p[2] == '\xa8' ? "\\u2028" : "\\u2029");
		return 3;
	}
	if (html_safe && (*p == '<' || *p == '>' || *p == '&'))
		zp_buf_printf(out, "\\u%04x", (unsigned char)*p);
	else
		zp_buf_char(out, *p);
	return 1;
}

/* From the opening quote to behind the closing one. */
static size_t copy_text(struct zp_buf *out, struct zp_str text, size_t at, bool html_safe)
{
	zp_buf_char(out, text.ptr[at++]);
	while (at < text.len) {
		size_t start = at;
		while (at < text.len && !stops[(unsigned char)text.ptr[at]])
			at++;
		zp_buf_add(out, text.ptr + start, at - start);
		if (at == text.len)
			break;
		bool end = text.ptr[at] == '"';
		at += copy_stop(out, text, at, html_safe);
		if (end)
			break;
	}
	return at;
}

static void new_line(const struct zp_json_writer *writer, size_t depth)
{
	if (!writer->pretty)
		return;
	zp_buf_char(writer->out, '\n');
	zp_buf_pad(writer->out, ' ', depth * 2);
}

/* One scan over bytes, as a state of a million objects is written through here. */
void state_json_copy(struct zp_json_writer *writer, struct zp_str text)
{
	size_t depth = writer->depth;
	struct zp_buf *out = writer->out;

	zp_json_raw(writer, ZP_STR(""));
	for (size_t at = skip_blank(text, 0); at < text.len; at = skip_blank(text, at)) {
		char c = text.ptr[at];
		if (c == '"') {
			at = copy_text(out, text, at, writer->html_safe);
			continue;
		}
		at++;
		if (c == '{' || c == '[') {
			zp_buf_char(out, c);
			size_t next = skip_blank(text, at);
			if (next < text.len && (text.ptr[next] == '}' || text.ptr[next] == ']')) {
				zp_buf_char(out, text.ptr[next]);
				at = next + 1;
				continue;
			}
			new_line(writer, ++depth);
		} else if (c == '}' || c == ']') {
			depth -= depth > writer->depth;
			new_line(writer, depth);
			zp_buf_char(out, c);
		} else {
			zp_buf_char(out, c);
			if (c == ',')
				new_line(writer, depth);
			else if (c == ':' && writer->pretty)
				zp_buf_char(out, ' ');
		}
	}
}
