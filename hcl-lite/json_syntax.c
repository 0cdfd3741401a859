/* Reads JSON into values that know their places. */
#include "hcl-lite/json_syntax.h"

#include "hcl-lite/identifier.h"
#include "hcl-lite/json_body.h"
#include "hcl-lite/parser.h"

struct reader {
	const struct zp_source *source;
	struct zp_str text;
	uint32_t at;
	uint32_t depth;
	bool failed; /* skipping to the next member or element */
	size_t errors;
	ZP_VEC(, struct zp_diag *) reported;
	struct zp_arena *arena;
	struct zp_diags *diags;
	struct zp_diags private; /* problems of templates */
	struct hcl_parser *templates;
};

static struct hcl_json_value *read_value(struct reader *r);

static struct zp_range range(const struct reader *r, uint32_t start, uint32_t end)
{
	return (struct zp_range){ r->source, start, end };
}

static char look(const struct reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : 0;
}

static bool at_end(const struct reader *r)
{
	return r->at >= r->text.len;
}

static void skip_space(struct reader *r)
{
	while (!at_end(r) && strchr(" \t\r\n", look(r)) && look(r))
		r->at++;
}

static void ZP_PRINTF(4, 5)
	fail(struct reader *r, struct zp_range at, const char *summary, const char *fmt, ...)
{
	zp_autobuf detail = ZP_BUF_INIT;
	va_list ap;

	if (r->failed || r->errors >= HCL_MAX_SYNTAX_ERRORS)
		return;
	va_start(ap, fmt);
	zp_buf_vprintf(&detail, fmt, ap);
	va_end(ap);
	struct zp_diag *diag =
		zp_diag_error(r->diags, at, summary, "%.*s", ZP_FMT(zp_buf_slice(&detail)));
	zp_vec_push(&r->reported, diag);
	r->failed = true;
	if (++r->errors >= HCL_MAX_SYNTAX_ERRORS)
		r->at = (uint32_t)r->text.len;
}

/* The same about brackets that do not match, which after another error is no news. */
static void fail_structure(
	struct reader *r, struct zp_range at, const char *summary, const char *detail)
{
	if (r->errors)
		r->failed = true;
	else
		fail(r, at, summary, "%s", detail);
}

/* The byte that stands here, as a range: JSON's own scanner takes no more of what it does not know. */
static struct zp_range here(const struct reader *r)
{
	return range(r, r->at, r->at + !at_end(r));
}

static struct hcl_json_value *new_value(struct reader *r, enum hcl_json_kind kind, uint32_t start)
{
	struct hcl_json_value *value = zp_new(r->arena, struct hcl_json_value);

	value->kind = kind;
	value->range = value->open_range = value->close_range = range(r, start, r->at);
	return value;
}

/* Strings. */

struct decoder {
	struct zp_buf out;
	struct hcl_offset_vec offsets;
};

static int hex4(const char *text, const char *end)
{
	int value = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = text[i] | 0x20;
		if (text[i] >= '0' && text[i] <= '9')
			value = value << 4 | (text[i] - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* \uXXXX at p, a pair of surrogates as one; a lone one becomes U+FFFD. Length, or 0 when malformed.
 */
static size_t decode_unicode(struct decoder *d, const char *p, const char *end)
{
	int high = hex4(p + 2, end);

	if (high < 0)
		return 0;
	if (high >= 0xd800 && high < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		int low = hex4(p + 8, end);
		if (low >= 0xdc00 && low < 0xe000) {
			zp_buf_rune(&d->out, 0x10000 + ((uint32_t)(high - 0xd800) << 10) +
						     (uint32_t)(low - 0xdc00));
			return 12;
		}
	}
	zp_buf_rune(&d->out, (uint32_t)high);
	return 6;
}

/* Length of the escape at p, or 0 when it is none. */
static size_t decode_escape(struct decoder *d, const char *p, const char *end)
{
	static const char selectors[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *selector;

	if (end - p < 2)
		return 0;
	if (p[1] == 'u')
		return decode_unicode(d, p, end);
	selector = p[1] ? strchr(selectors, p[1]) : NULL;
	if (!selector)
		return 0;
	zp_buf_char(&d->out, meanings[selector - selectors]);
	return 2;
}

static void note_offset(struct decoder *d, uint32_t source)
{
	struct hcl_offset offset = { (uint32_t)d->out.len, source };

	zp_vec_push(&d->offsets, offset);
}

static bool decode_string(struct reader *r, struct decoder *d, uint32_t start, uint32_t end)
{
	const char *text = r->text.ptr;

	note_offset(d, start);
	for (uint32_t i = start; i < end;) {
		if (text[i] != '\\') {
			zp_buf_char(&d->out, text[i++]);
			continue;
		}
		size_t n = decode_escape(d, text + i, text + end);
		if (!n) {
			uint32_t length = i + 1 < end ? 2 : 1;
			fail(r, range(r, i, i + length), "Invalid JSON string",
				"There is a syntax error in the given JSON string.");
			return false;
		}
		i += (uint32_t)n;
		note_offset(d, i);
	}
	return true;
}

/* Up to the closing quote; false when a line or the file ends before. */
static bool find_string_end(struct reader *r, bool *escaped)
{
	*escaped = false;
	for (; !at_end(r); r->at++) {
		unsigned char c = (unsigned char)look(r);
		if (c == '"')
			return true;
		if (c < 0x20)
			break;
		if (c == '\\') {
			*escaped = true;
			r->at++;
		}
	}
	if (r->at > r->text.len)
		r->at = (uint32_t)r->text.len;
	fail(r, range(r, r->at, r->at), "Invalid JSON string",
		"There is a syntax error in the given JSON string.");
	return false;
}

static bool has_sequence(struct zp_str text)
{
	for (size_t i = 1; i < text.len; i++)
		if (text.ptr[i] == '{' && (text.ptr[i - 1] == '$' || text.ptr[i - 1] == '%'))
			return true;
	return false;
}

static const char *keep(struct reader *r, const char *text)
{
	return text ? zp_arena_strdup(r->arena, text) : NULL;
}

static void keep_problems(struct reader *r, struct hcl_json_text *string)
{
	size_t count = r->private.count;
	struct zp_diag *problems = zp_new_array(r->arena, struct zp_diag, count);

	for (size_t i = 0; i < count; i++) {
		problems[i] = *r->private.items[i];
		problems[i].summary = keep(r, problems[i].summary);
		problems[i].detail = keep(r, problems[i].detail);
	}
	string->problems = problems;
	string->problem_count = count;
	zp_diags_truncate(&r->private, 0);
}

static void parse_template(struct reader *r, struct hcl_json_text *string)
{
	if (!r->templates)
		r->templates = hcl_parser_new(
			r->source, string->text, HCL_LEX_TEMPLATE, r->arena, &r->private);
	hcl_parser_restart(r->templates, string->text, HCL_LEX_TEMPLATE, string->offsets,
		string->offset_count);
	string->template = hcl_parse_whole_template(r->templates);
	if (r->private.count)
		keep_problems(r, string);
}

/* The opening quote is here. */
static bool read_string(struct reader *r, struct hcl_json_text *string)
{
	uint32_t start = r->at++;
	struct decoder d = { 0 };
	bool escaped, good = find_string_end(r, &escaped);
	uint32_t end = r->at;

	if (good)
		r->at++;
	string->range = range(r, start, r->at);
	if (good && escaped) {
		good = decode_string(r, &d, start + 1, end);
		string->text = zp_arena_str(r->arena, zp_buf_slice(&d.out));
	} else {
		string->text = zp_strn(r->text.ptr + start + 1, end - start - 1);
		note_offset(&d, start + 1);
	}
	string->offset_count = d.offsets.count;
	string->offsets = zp_vec_to_arena(&d.offsets, r->arena);
	if (good && has_sequence(string->text))
		parse_template(r, string);
	zp_buf_release(&d.out);
	zp_vec_release(&d.offsets);
	return good;
}

/* Numbers and words. */

static bool skip_digits(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	return *p > start;
}

static bool is_json_number(struct zp_str text)
{
	const char *p = text.ptr, *end = p + text.len;

	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if (!skip_digits(&p, end))
		return false;
	if (p < end && *p == '.') {
		p++;
		if (!skip_digits(&p, end))
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!skip_digits(&p, end))
			return false;
	}
	return p == end;
}

static struct hcl_json_value *read_number(struct reader *r)
{
	uint32_t start = r->at;

	while (!at_end(r) && look(r) && strchr("+-.0123456789eE", look(r)))
		r->at++;
	struct hcl_json_value *value = new_value(r, HCL_JSON_NUMBER, start);
	struct zp_str text = zp_range_text(value->range);
	if (!is_json_number(text) || !hcl_parse_number(r->arena, text, &value->literal)) {
		value->kind = HCL_JSON_ERROR;
		fail(r, value->range, "Invalid JSON number",
			"There is a syntax error in the given JSON number.");
	}
	return value;
}

static const char *const words[] = { "true", "false", "null" };

static struct hcl_json_value *read_word(struct reader *r)
{
	uint32_t start = r->at;
	zp_autobuf hint = ZP_BUF_INIT;

	while (!at_end(r) && ((look(r) | 0x20) >= 'a' && (look(r) | 0x20) <= 'z'))
		r->at++;
	struct hcl_json_value *value = new_value(r, HCL_JSON_BOOL, start);
	struct zp_str text = zp_range_text(value->range);
	if (zp_str_is(text, "true") || zp_str_is(text, "false")) {
		value->literal = hcl_bool_value(text.ptr[0] == 't');
		return value;
	}
	if (zp_str_is(text, "null")) {
		value->kind = HCL_JSON_NULL;
		value->literal = hcl_null(hcl_dynamic);
		return value;
	}
	value->kind = HCL_JSON_ERROR;
	const char *near = zp_str_suggest(text, words, ZP_ARRAY_SIZE(words));
	if (near)
		zp_buf_printf(&hint, " Did you mean \"%s\"?", near);
	fail(r, value->range, "Invalid JSON keyword", "\"%.*s\" is not a valid JSON keyword.%s",
		ZP_FMT(text), near ? hint.ptr : "");
	return value;
}

/* Containers. */

/* After an error: to the comma or the closing bracket of the container we are in. */
static void resync(struct reader *r)
{
	uint32_t depth = 0;

	for (; !at_end(r); r->at++) {
		char c = look(r);
		if (c == '"') {
			for (r->at++; !at_end(r) && look(r) != '"' && look(r) != '\n'; r->at++)
				if (look(r) == '\\')
					r->at++;
			if (at_end(r))
				break;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
			break;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	if (r->at > r->text.len)
		r->at = (uint32_t)r->text.len;
	r->failed = false;
}

static void fail_separator(struct reader *r, uint32_t open, bool object)
{
	/* The peer's spelling, which people search for. */
	static const char *const no_comma = "Missing attribute seperator comma";
	char c = look(r);

	if (at_end(r))
		fail_structure(r, range(r, open, open + 1), "Unclosed object",
			object ? "No closing brace was found for this JSON object."
			       : "No closing bracket was found for this JSON array.");
	else if (object && c == ']')
		fail_structure(r, here(r), "Mismatched braces",
			"A JSON object must be closed with a brace, not a bracket.");
	else if (!object && c == '}')
		fail_structure(r, here(r), "Mismatched brackets",
			"A JSON array must be closed with a bracket, not a brace.");
	else
		fail(r, here(r), no_comma, "A comma must appear between each %s.",
			object ? "property definition in an object" : "value in an array");
}

/*
 * After a member or an element: true when another one follows; else the container has ended, with
 * its bracket taken.
 */
static bool next_item(struct reader *r, uint32_t open, bool object)
{
	char closing = object ? '}' : ']';

	for (;;) {
		bool broken = r->failed;
		if (broken)
			resync(r);
		skip_space(r);
		uint32_t comma = r->at;
		if (look(r) == closing) {
			r->at++;
			return false;
		}
		if (look(r) == ',') {
			r->at++;
			skip_space(r);
			if (look(r) != closing)
				return true;
			if (broken)
				continue;
			fail(r, range(r, comma, comma + 1),
				object ? "Trailing comma in object" : "Trailing comma in array",
				"JSON does not permit a trailing comma after the final %s.",
				object ? "property in an object" : "value in an array");
			r->failed = false;
			continue;
		}
		bool ended = at_end(r);
		fail_separator(r, open, object);
		if (ended)
			return false;
		/* A bracket of the other kind was meant to close this. */
		if (look(r) == ']' || look(r) == '}') {
			r->at++;
			r->failed = false;
			return false;
		}
	}
}

static bool read_name(struct reader *r, struct hcl_json_text *name)
{
	if (at_end(r)) {
		fail(r, here(r), "Missing value", "The JSON data ends prematurely.");
		return false;
	}
	if (look(r) != '"') {
		fail(r, here(r), "Invalid object property name",
			"A JSON object property name must be a string");
		return false;
	}
	if (!read_string(r, name))
		return false;
	skip_space(r);
	if (look(r) == ':') {
		r->at++;
		return true;
	}
	fail(r, here(r), "Missing property value colon", "%s",
		look(r) == '=' ? "JSON uses a colon as its name/value delimiter, not an equals "
				 "sign."
			       : "A colon must appear between an object property's name and its "
				 "value.");
	return false;
}

ZP_VEC(member_vec, struct hcl_json_member);
ZP_VEC(value_vec, struct hcl_json_value *);

static struct hcl_json_value *end_container(
	struct reader *r, enum hcl_json_kind kind, uint32_t start)
{
	struct hcl_json_value *value = new_value(r, kind, start);

	value->open_range = range(r, start, start + 1);
	value->close_range = range(r, r->at > start ? r->at - 1 : start, r->at);
	return value;
}

static struct hcl_json_value *read_object(struct reader *r)
{
	uint32_t start = r->at++;
	struct member_vec members = { 0 };

	skip_space(r);
	if (look(r) == '}') {
		r->at++;
	} else {
		do {
			struct hcl_json_member member = { 0 };
			skip_space(r);
			if (read_name(r, &member.name))
				member.value = read_value(r);
			if (member.value)
				zp_vec_push(&members, member);
		} while (next_item(r, start, true));
	}
	struct hcl_json_value *value = end_container(r, HCL_JSON_OBJECT, start);
	value->object.count = members.count;
	value->object.items = zp_vec_to_arena(&members, r->arena);
	zp_vec_release(&members);
	return value;
}

static struct hcl_json_value *read_array(struct reader *r)
{
	uint32_t start = r->at++;
	struct value_vec values = { 0 };

	skip_space(r);
	if (look(r) == ']') {
		r->at++;
	} else {
		do {
			zp_vec_push(&values, read_value(r));
		} while (next_item(r, start, false));
	}
	struct hcl_json_value *value = end_container(r, HCL_JSON_ARRAY, start);
	value->array.count = values.count;
	value->array.items = zp_vec_to_arena(&values, r->arena);
	zp_vec_release(&values);
	return value;
}

static struct hcl_json_value *no_value(struct reader *r)
{
	static const char *const detail = "A JSON value must start with a brace, a bracket, a "
					  "number, a string, or a keyword.";

	if (at_end(r))
		fail(r, here(r), "Missing value", "The JSON data ends prematurely.");
	else if (look(r) == '}')
		fail(r, here(r), "Missing JSON value", "%s", detail);
	else if (look(r) == ']')
		fail(r, here(r), "Missing array element value", "%s", detail);
	else
		fail(r, here(r), "Invalid start of value", "%s", detail);
	return new_value(r, HCL_JSON_ERROR, r->at);
}

static struct hcl_json_value *read_string_value(struct reader *r)
{
	struct hcl_json_value *value = zp_new(r->arena, struct hcl_json_value);

	value->kind = read_string(r, &value->string) ? HCL_JSON_STRING : HCL_JSON_ERROR;
	value->range = value->open_range = value->close_range = value->string.range;
	return value;
}

static struct hcl_json_value *read_container(struct reader *r, bool object)
{
	struct hcl_json_value *value;

	if (r->depth >= HCL_MAX_NESTING) {
		fail(r, here(r), "Configuration too deeply nested",
			"Blocks, expressions and templates may be nested at most %d levels deep.",
			HCL_MAX_NESTING);
		r->at = (uint32_t)r->text.len; /* nothing behind it can be told apart */
		return new_value(r, HCL_JSON_ERROR, r->at);
	}
	r->depth++;
	value = object ? read_object(r) : read_array(r);
	r->depth--;
	return value;
}

static struct hcl_json_value *read_value(struct reader *r)
{
	skip_space(r);
	char c = look(r);
	if (c == '{' || c == '[')
		return read_container(r, c == '{');
	if (c == '"')
		return read_string_value(r);
	if (c && strchr("+-.0123456789", c))
		return read_number(r);
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return read_word(r);
	return no_value(r);
}

static struct hcl_json_value *read_root(struct reader *r)
{
	struct hcl_json_value *root = read_value(r);
	bool complete = !r->failed;

	skip_space(r);
	if (complete && !at_end(r))
		fail_structure(r, here(r), "Extraneous data after value",
			"Extra characters appear after the JSON value.");
	if (complete && root->kind != HCL_JSON_OBJECT && root->kind != HCL_JSON_ARRAY) {
		r->failed = false;
		fail(r, root->range, "Root value must be object",
			"The root value in a JSON-based configuration must be either a JSON object "
			"or a JSON array of objects.");
	}
	if (root->kind != HCL_JSON_OBJECT && root->kind != HCL_JSON_ARRAY) {
		root->kind = HCL_JSON_OBJECT;
		root->object.items = NULL;
		root->object.count = 0;
	}
	return root;
}

static void add_contexts(struct reader *r, const struct hcl_json_value *root)
{
	for (size_t i = 0; i < r->reported.count; i++) {
		zp_autobuf context = ZP_BUF_INIT;
		struct zp_diag *diag = r->reported.items[i];
		if (hcl_json_context(root, diag->subject.start, &context))
			diag->snippet_context =
				zp_arena_strndup(r->arena, context.ptr, context.len);
	}
	zp_vec_release(&r->reported);
}

struct hcl_body *hcl_parse_json(
	const struct zp_source *source, struct zp_arena *arena, struct zp_diags *diags)
{
	struct reader r = {
		.source = source, .text = source->text, .arena = arena, .diags = diags
	};

	if (source->text.len > ZP_SOURCE_MAX_BYTES) {
		zp_diag_error(diags, range(&r, 0, 0), "File too large",
			"A configuration file may be at most 1 GiB long.");
		r.text.len = 0;
		r.failed = true;
	}
	zp_diags_init(&r.private);
	struct hcl_json_value *root = read_root(&r);
	add_contexts(&r, root);
	struct hcl_body *body = hcl_json_body(arena, root);
	if (r.templates)
		hcl_parser_free(r.templates);
	zp_diags_release(&r.private);
	return body;
}
