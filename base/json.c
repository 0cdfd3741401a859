#include "base/json.h"

#include <string.h>

void zp_json_init(struct zp_json *json, struct zp_str text)
{
	*json = (struct zp_json){ .text = text, .first = true };
}

void zp_json_release(struct zp_json *json)
{
	zp_buf_release(&json->scratch);
}

bool zp_json_fail(struct zp_json *json, const char *message)
{
	if (!json->error)
		json->error = message;
	return false;
}

/* The next byte that is not white space, without consuming it; 0 at the end. */
static char look(struct zp_json *json)
{
	while (json->offset < json->text.len) {
		char c = json->text.ptr[json->offset];
		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return c;
		json->offset++;
	}
	return 0;
}

static bool literal(struct zp_json *json, const char *word)
{
	size_t n = strlen(word);

	if (json->text.len - json->offset < n ||
		memcmp(json->text.ptr + json->offset, word, n) != 0)
		return zp_json_fail(json, "invalid value");
	json->offset += n;
	return true;
}

enum zp_json_kind zp_json_peek(struct zp_json *json)
{
	if (json->error)
		return ZP_JSON_NONE;
	char c = look(json);
	switch (c) {
	case '{':
		return ZP_JSON_OBJECT;
	case '[':
		return ZP_JSON_ARRAY;
	case '"':
		return ZP_JSON_STRING;
	case 't':
	case 'f':
		return ZP_JSON_BOOL;
	case 'n':
		return ZP_JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? ZP_JSON_NUMBER : ZP_JSON_NONE;
	}
}

static bool enter(struct zp_json *json, char bracket, const char *message)
{
	if (json->error)
		return false;
	if (look(json) != bracket)
		return zp_json_fail(json, message);
	if (json->depth == ZP_JSON_MAX_DEPTH)
		return zp_json_fail(json, "nested too deeply");
	json->depth++;
	json->offset++;
	json->first = true;
	return true;
}

/* Handles the comma or the closing bracket. True when another item follows. */
static bool next_item(struct zp_json *json, char bracket)
{
	if (json->error)
		return false;
	char c = look(json);
	if (c == bracket) {
		json->offset++;
		json->depth--;
		json->first = false;
		return false;
	}
	if (!json->first) {
		if (c != ',')
			return zp_json_fail(json, "expected a comma or the closing bracket");
		json->offset++;
		if (look(json) == bracket)
			return zp_json_fail(json, "trailing comma");
	}
	json->first = false;
	return true;
}

bool zp_json_enter_object(struct zp_json *json)
{
	return enter(json, '{', "expected an object");
}

bool zp_json_enter_array(struct zp_json *json)
{
	return enter(json, '[', "expected an array");
}

bool zp_json_next_element(struct zp_json *json)
{
	return next_item(json, ']');
}

bool zp_json_next_key(struct zp_json *json, struct zp_str *key)
{
	if (!next_item(json, '}') || !zp_json_read_string(json, key))
		return false;
	if (look(json) != ':')
		return zp_json_fail(json, "expected a colon");
	json->offset++;
	return true;
}

bool zp_json_read_null(struct zp_json *json)
{
	if (zp_json_peek(json) != ZP_JSON_NULL)
		return zp_json_fail(json, "expected null");
	return literal(json, "null");
}

bool zp_json_read_bool(struct zp_json *json, bool *value)
{
	if (zp_json_peek(json) != ZP_JSON_BOOL)
		return zp_json_fail(json, "expected true or false");
	*value = json->text.ptr[json->offset] == 't';
	return literal(json, *value ? "true" : "false");
}

static size_t digits(struct zp_str text, size_t at)
{
	size_t start = at;

	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
		at++;
	return at - start;
}

/* Length of the number that starts the text by JSON's grammar, 0 when none does. */
static size_t number_length(struct zp_str text)
{
	size_t at = text.len && text.ptr[0] == '-';
	size_t whole = digits(text, at);

	if (!whole || (whole > 1 && text.ptr[at] == '0'))
		return 0;
	at += whole;
	if (at < text.len && text.ptr[at] == '.') {
		size_t n = digits(text, at + 1);
		if (!n)
			return 0;
		at += 1 + n;
	}
	if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
		at++;
		if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
			at++;
		size_t n = digits(text, at);
		if (!n)
			return 0;
		at += n;
	}
	return at;
}

bool zp_json_read_number(struct zp_json *json, struct zp_str *text)
{
	if (zp_json_peek(json) != ZP_JSON_NUMBER)
		return zp_json_fail(json, "expected a number");
	*text = zp_strn(json->text.ptr + json->offset, json->text.len - json->offset);
	text->len = number_length(*text);
	if (!text->len)
		return zp_json_fail(json, "invalid number");
	json->offset += text->len;
	return true;
}

bool zp_json_read_int(struct zp_json *json, int64_t *value)
{
	struct zp_str text;

	if (!zp_json_read_number(json, &text))
		return false;
	bool negative = text.ptr[0] == '-';
	int64_t n = 0;
	for (size_t i = negative; i < text.len; i++) {
		char c = text.ptr[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(n, 10, &n) ||
			__builtin_sub_overflow(n, c - '0', &n))
			return zp_json_fail(json, "expected a whole number");
	}
	/* Collected as a negative number, whose range is the larger one. */
	if (!negative && __builtin_sub_overflow(0, n, &n))
		return zp_json_fail(json, "whole number out of range");
	*value = n;
	return true;
}

static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' :
			c >= 'a' && c <= 'f'	 ? c - 'a' + 10 :
			c >= 'A' && c <= 'F'	 ? c - 'A' + 10 :
						   -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* After "\u": reads four digits, and a second escape where a surrogate pair needs it. */
static bool unicode_escape(struct zp_json *json, size_t *at)
{
	const char *p = json->text.ptr;
	size_t end = json->text.len;
	int high = end - *at >= 4 ? hex4(p + *at) : -1;

	if (high < 0)
		return zp_json_fail(json, "invalid \\u escape");
	*at += 4;
	uint32_t rune = (uint32_t)high;
	if (high >= 0xd800 && high < 0xdc00 && end - *at >= 6 && p[*at] == '\\' &&
		p[*at + 1] == 'u') {
		int low = hex4(p + *at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			rune = 0x10000 + ((rune - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
			*at += 6;
		}
	}
	zp_buf_rune(&json->scratch, rune); /* a lone surrogate becomes U+FFFD */
	return true;
}

static bool unescape(struct zp_json *json, size_t *at)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (*at >= json->text.len)
		return zp_json_fail(json, "unterminated string");
	char c = json->text.ptr[(*at)++];
	if (c == 'u')
		return unicode_escape(json, at);
	const char *known = c ? strchr(from, c) : NULL;
	if (!known)
		return zp_json_fail(json, "invalid escape in a string");
	zp_buf_char(&json->scratch, to[known - from]);
	return true;
}

/* First byte from `at` on that ends a run of plain text: quote, backslash, or control character. */
static size_t plain_end(struct zp_str text, size_t at)
{
	while (at < text.len) {
		unsigned char c = (unsigned char)text.ptr[at];
		if (c == '"' || c == '\\' || c < 0x20)
			break;
		at++;
	}
	return at;
}

static bool read_escaped(struct zp_json *json, size_t start, size_t at, struct zp_str *value)
{
	struct zp_str text = json->text;

	zp_buf_clear(&json->scratch);
	zp_buf_add(&json->scratch, text.ptr + start, at - start);
	while (at < text.len && text.ptr[at] == '\\') {
		at++;
		if (!unescape(json, &at))
			return false;
		size_t end = plain_end(text, at);
		zp_buf_add(&json->scratch, text.ptr + at, end - at);
		at = end;
	}
	if (at >= text.len)
		return zp_json_fail(json, "unterminated string");
	if (text.ptr[at] != '"') {
		json->offset = at;
		return zp_json_fail(json, "control character in a string");
	}
	json->offset = at + 1;
	*value = zp_buf_slice(&json->scratch);
	return true;
}

bool zp_json_read_string(struct zp_json *json, struct zp_str *value)
{
	if (zp_json_peek(json) != ZP_JSON_STRING)
		return zp_json_fail(json, "expected a string");
	size_t start = json->offset + 1;
	size_t end = plain_end(json->text, start);
	if (end < json->text.len && json->text.ptr[end] == '"') {
		*value = zp_strn(json->text.ptr + start, end - start);
		json->offset = end + 1;
		return true;
	}
	return read_escaped(json, start, end, value);
}

bool zp_json_read_string_arena(struct zp_json *json, struct zp_arena *arena, struct zp_str *value)
{
	if (!zp_json_read_string(json, value))
		return false;
	*value = zp_arena_str(arena, *value);
	return true;
}

static bool skip_value(struct zp_json *json);

static bool skip_container(struct zp_json *json, bool object)
{
	struct zp_str key;

	if (object) {
		for (zp_json_enter_object(json); zp_json_next_key(json, &key);)
			skip_value(json);
	} else {
		for (zp_json_enter_array(json); zp_json_next_element(json);)
			skip_value(json);
	}
	return !json->error;
}

/* Recursion is bounded by ZP_JSON_MAX_DEPTH. */
static bool skip_value(struct zp_json *json)
{
	struct zp_str text;
	bool flag;

	switch (zp_json_peek(json)) {
	case ZP_JSON_NULL:
		return zp_json_read_null(json);
	case ZP_JSON_BOOL:
		return zp_json_read_bool(json, &flag);
	case ZP_JSON_NUMBER:
		return zp_json_read_number(json, &text);
	case ZP_JSON_STRING:
		return zp_json_read_string(json, &text);
	case ZP_JSON_ARRAY:
		return skip_container(json, false);
	case ZP_JSON_OBJECT:
		return skip_container(json, true);
	case ZP_JSON_NONE:
		break;
	}
	return zp_json_fail(json, look(json) ? "invalid value" : "unexpected end");
}

bool zp_json_skip(struct zp_json *json, struct zp_str *raw)
{
	if (json->error)
		return false;
	look(json);
	size_t start = json->offset;
	bool first = json->first;
	if (!skip_value(json))
		return false;
	json->first = first;
	if (raw)
		*raw = zp_strn(json->text.ptr + start, json->offset - start);
	return true;
}

bool zp_json_at_end(struct zp_json *json)
{
	return !json->error && !look(json) && json->offset >= json->text.len;
}
