/* Helpers over JSON text. */
#include "state/state_internal.h"

/* Skips white space outside of strings; the texts are valid JSON. */
static size_t skip_blank(struct zp_str text, size_t at)
{
	while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\n' || text.ptr[at] == '\t' ||
			text.ptr[at] == '\r'))
		at++;
	return at;
}

bool state_json_equal(struct zp_str a, struct zp_str b)
{
	size_t i = 0, j = 0;
	bool inside = false;

	for (;;) {
		if (!inside) {
			i = skip_blank(a, i);
			j = skip_blank(b, j);
		}
		if (i >= a.len || j >= b.len)
			return i >= a.len && j >= b.len;
		char c = a.ptr[i++];
		if (c != b.ptr[j++])
			return false;
		if (inside && c == '\\' && i < a.len && j < b.len) {
			if (a.ptr[i++] != b.ptr[j++])
				return false;
		} else if (c == '"') {
			inside = !inside;
		}
	}
}

/* The raw text of the next value, quotes included, is kept: numbers and escapes stay as they were. */
static void copy_value(struct zp_json *json, struct zp_json_writer *writer)
{
	struct zp_str key, raw;

	switch (zp_json_peek(json)) {
	case ZP_JSON_OBJECT:
		zp_json_begin_object(writer);
		for (zp_json_enter_object(json); zp_json_next_key(json, &key);) {
			zp_json_key_str(writer, key);
			copy_value(json, writer);
		}
		zp_json_end_object(writer);
		break;
	case ZP_JSON_ARRAY:
		zp_json_begin_array(writer);
		for (zp_json_enter_array(json); zp_json_next_element(json);)
			copy_value(json, writer);
		zp_json_end_array(writer);
		break;
	default:
		if (zp_json_skip(json, &raw))
			zp_json_raw(writer, raw);
	}
}

void state_json_copy(struct zp_json_writer *writer, struct zp_str text)
{
	struct zp_json json;

	zp_json_init(&json, text);
	copy_value(&json, writer);
	zp_json_release(&json);
}
