/*
 * yamldecode and yamlencode on top of libyaml.
 */
#include <ctype.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "hcl-lite/bytes.h"
#include "hcl-lite/function.h"
#include "hcl-lite/number.h"

#define MAX_DEPTH 500
/* How many values a document may stand for, each use of an alias counted anew. */
#define MAX_NODES 1000000

ZP_VEC(values, struct hcl_value);
ZP_VEC(names, const char *);

struct anchor {
	char *name;
	struct hcl_value value;
	size_t nodes;
	bool open; /* still being read */
};

ZP_VEC(anchors, struct anchor);

struct decoder {
	struct hcl_call *call;
	yaml_parser_t parser;
	yaml_event_t event; /* the one looked at */
	struct anchors anchors;
	size_t nodes;
	unsigned depth;
	struct zp_str source;
	bool json_escapes;	/* the text has \/ somewhere */
	size_t character, byte; /* how far byte_of has come */
};

static bool read_node(struct decoder *d, struct hcl_value *out);

/* Places are told as the peer counts them: lines from 0, and none for the first. */
static bool fail_at(struct decoder *d, yaml_mark_t mark, const char *problem)
{
	if (mark.line == 0)
		return hcl_call_fail(d->call, "%s", problem);
	return hcl_call_fail(
		d->call, "on line %zu, column %zu: %s", mark.line, mark.column + 1, problem);
}

static bool parser_error(struct decoder *d)
{
	return fail_at(d, d->parser.problem_mark,
		d->parser.problem ? d->parser.problem : "malformed document");
}

static bool next_event(struct decoder *d)
{
	yaml_event_delete(&d->event);
	return yaml_parser_parse(&d->parser, &d->event) || parser_error(d);
}

static bool is_one_of(struct zp_str text, const char *const *list)
{
	for (; *list; list++)
		if (zp_str_is(text, *list))
			return true;
	return false;
}

static bool as_null(struct zp_str text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
	return is_one_of(text, words);
}

/* Those of YAML 1.1, y and n included. */
static bool as_bool(struct zp_str text, bool *b)
{
	static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE",
		"on", "On", "ON", NULL };
	static const char *const no[] = { "n", "N", "no", "No", "NO", "false", "False", "FALSE",
		"off", "Off", "OFF", NULL };

	*b = is_one_of(text, yes);
	return *b || is_one_of(text, no);
}

static size_t span(struct zp_str text, size_t at, const char *set)
{
	size_t start = at;

	while (at < text.len && text.ptr[at] && strchr(set, text.ptr[at]))
		at++;
	return at - start;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_decimal(struct zp_str text)
{
	static const char digits[] = "0123456789";
	size_t at = text.len && strchr("+-", text.ptr[0]) && text.ptr[0] ? 1 : 0;
	size_t whole = span(text, at, digits), part = 0;

	at += whole;
	if (at < text.len && text.ptr[at] == '.') {
		part = span(text, ++at, digits);
		at += part;
	}
	if (whole + part == 0)
		return false;
	if (at < text.len && (text.ptr[at] | 32) == 'e') {
		at++;
		at += at < text.len && strchr("+-", text.ptr[at]) && text.ptr[at] ? 1 : 0;
		size_t exponent = span(text, at, digits);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == text.len;
}

static bool as_number(struct zp_arena *arena, struct zp_str text, struct hcl_value *out)
{
	static const char *const infinities[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		NULL };
	static const char *const negative[] = { "-.inf", "-.Inf", "-.INF", NULL };

	if (text.len > 2 && text.ptr[0] == '0' && (text.ptr[1] == 'x' || text.ptr[1] == 'o')) {
		struct zp_str rest = { text.ptr + 2, text.len - 2 };
		if (!isalnum((unsigned char)rest.ptr[0]))
			return false;
		return hcl_parse_integer(arena, rest, text.ptr[1] == 'x' ? 16 : 8, out);
	}
	if (is_one_of(text, infinities))
		return hcl_parse_number(arena, ZP_STR("Inf"), out);
	if (is_one_of(text, negative))
		return hcl_parse_number(arena, ZP_STR("-Inf"), out);
	return is_decimal(text) && hcl_parse_number(arena, text, out);
}

static bool two_digits(struct zp_str text, size_t *at, int *out, char separator)
{
	size_t n = span(text, *at, "0123456789");

	if (n < 1 || n > 2)
		return false;
	*out = text.ptr[*at] - '0';
	if (n == 2)
		*out = *out * 10 + (text.ptr[*at + 1] - '0');
	*at += n;
	if (!separator)
		return true;
	return *at < text.len && text.ptr[(*at)++] == separator;
}

/* A date, or a date and a time, becomes RFC 3339. */
static bool as_timestamp(struct hcl_call *call, struct zp_str text, struct hcl_value *out)
{
	int month, day, hour = 0, minute = 0, second = 0;
	size_t at = 5;
	const char *zone = "Z";

	if (span(text, 0, "0123456789") != 4 || text.len < 8 || text.ptr[4] != '-' ||
		!two_digits(text, &at, &month, '-') || !two_digits(text, &at, &day, '\0') ||
		month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	if (at < text.len) {
		char between = text.ptr[at++];
		if (!strchr("Tt ", between) || !between || !two_digits(text, &at, &hour, ':') ||
			!two_digits(text, &at, &minute, ':') ||
			!two_digits(text, &at, &second, '\0') || hour > 23 || minute > 59 ||
			second > 59)
			return false;
		if (at < text.len && text.ptr[at] == '.') {
			size_t digits = span(text, at + 1, "0123456789");
			if (digits == 0)
				return false;
			at += 1 + digits;
		}
		struct zp_str rest = { text.ptr + at, text.len - at };
		bool offset = rest.len == 6 && strchr("+-", rest.ptr[0]) && rest.ptr[3] == ':' &&
			      span(rest, 1, "0123456789") == 2 && span(rest, 4, "0123456789") == 2;
		if (between == ' ' ? rest.len != 0 : !(zp_str_is(rest, "Z") || offset))
			return false;
		if (offset)
			zone = rest.ptr;
	}
	const char *made =
		zp_arena_format(call->arena, "%.4s-%02d-%02dT%02d:%02d:%02d%.6s", text.ptr, month,
			day, hour, minute, second, strcmp(zone, "+00:00") == 0 ? "Z" : zone);
	*out = hcl_string_cstr(call->arena, made);
	return true;
}

static bool resolve_plain(struct decoder *d, struct zp_str text, struct hcl_value *out)
{
	static const char *const not_numbers[] = { ".nan", ".NaN", ".NAN", NULL };
	struct hcl_call *call = d->call;
	bool b;

	if (as_null(text))
		*out = hcl_null(hcl_dynamic);
	else if (as_bool(text, &b))
		*out = hcl_bool_value(b);
	else if (is_one_of(text, not_numbers))
		return hcl_call_fail(call, "floating point NaN is not supported");
	else if (!as_number(call->arena, text, out) && !as_timestamp(call, text, out))
		*out = hcl_string_value(call->arena, text);
	return true;
}

static bool resolve_tagged(
	struct decoder *d, struct zp_str text, const char *tag, bool quoted, struct hcl_value *out)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	struct hcl_call *call = d->call;
	const char *kind =
		strncmp(tag, prefix, sizeof(prefix) - 1) == 0 ? tag + sizeof(prefix) - 1 : NULL;

	if (!kind)
		return hcl_call_fail(call, "unsupported tag \"%s\"", tag);
	bool binary = strcmp(kind, "binary") == 0;
	zp_autobuf data = ZP_BUF_INIT;
	size_t at;
	if (binary && !hcl_base64_decode(text, &data, &at))
		return hcl_call_fail(
			call, "cannot parse \"%.*s\" as %s: not valid base64", ZP_FMT(text), tag);
	if (binary || quoted || strcmp(kind, "str") == 0) {
		*out = hcl_string_value(call->arena, text);
		return true;
	}
	if (strcmp(kind, "null") == 0) {
		*out = hcl_null(hcl_dynamic);
		return true;
	}
	if (!resolve_plain(d, text, out))
		return false;
	bool fits = strcmp(kind, "int") == 0 || strcmp(kind, "float") == 0 ? out->type == hcl_number
		    : strcmp(kind, "bool") == 0
			    ? out->type == hcl_bool
			    : strcmp(kind, "timestamp") == 0 && as_timestamp(call, text, out);
	return fits || hcl_call_fail(call, "cannot parse \"%.*s\" as %s", ZP_FMT(text), tag);
}

/* The byte at which a character is, asked for from front to back. */
static size_t byte_of(struct decoder *d, size_t character)
{
	while (d->character < character && d->byte < d->source.len) {
		d->byte++;
		while (d->byte < d->source.len && (d->source.ptr[d->byte] & 0xc0) == 0x80)
			d->byte++;
		d->character++;
	}
	return d->byte;
}

/* \/ is no escape in YAML as the peer reads it; the parser here takes it. */
static bool has_json_escape(struct decoder *d)
{
	if (!d->json_escapes || d->event.data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return false;
	size_t at = byte_of(d, d->event.start_mark.index + 1);
	for (size_t end = byte_of(d, d->event.end_mark.index); at + 1 < end; at++)
		if (d->source.ptr[at] == '\\' && d->source.ptr[++at] == '/')
			return true;
	return false;
}

static bool read_scalar(struct decoder *d, struct hcl_value *out)
{
	struct zp_str text = { (const char *)d->event.data.scalar.value,
		d->event.data.scalar.length };
	const char *tag = (const char *)d->event.data.scalar.tag;

	bool quoted = d->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;

	if (has_json_escape(d))
		return hcl_call_fail(d->call, "found unknown escape character");
	if (tag)
		return resolve_tagged(d, text, tag, quoted, out);
	if (!quoted)
		return resolve_plain(d, text, out);
	*out = hcl_string_value(d->call->arena, text);
	return true;
}

static bool check_tag(
	struct decoder *d, const yaml_char_t *tag, const char *expected, const char *what)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	const char *text = (const char *)tag;

	if (!text || strcmp(text, "!") == 0 ||
		(strncmp(text, prefix, sizeof(prefix) - 1) == 0 &&
			strcmp(text + sizeof(prefix) - 1, expected) == 0))
		return true;
	return hcl_call_fail(d->call, "can't interpret %s as %s", what, text);
}

static bool read_sequence(struct decoder *d, struct hcl_value *out)
{
	struct values list = { 0 };
	bool done = check_tag(d, d->event.data.sequence_start.tag, "seq", "sequence");

	while (done) {
		struct hcl_value element;
		done = next_event(d);
		if (!done || d->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		done = read_node(d, &element);
		if (done)
			zp_vec_push(&list, element);
	}
	if (done)
		*out = hcl_tuple_value(zp_vec_to_arena(&list, d->call->arena), list.count);
	zp_vec_release(&list);
	return done;
}

struct mapping {
	struct names names;
	struct values values;
};

static bool is_merge_key(const struct decoder *d)
{
	return d->event.type == YAML_SCALAR_EVENT && d->event.data.scalar.length == 2 &&
	       !d->event.data.scalar.tag && memcmp(d->event.data.scalar.value, "<<", 2) == 0;
}

static bool merge(struct decoder *d, struct mapping *m)
{
	struct hcl_value v;
	zp_autobuf friendly = ZP_BUF_INIT;

	if (!next_event(d) || !read_node(d, &v))
		return false;
	hcl_type_friendly(v.type, &friendly);
	if (v.type->kind != HCL_OBJECT || hcl_is_null(v))
		return hcl_call_fail(d->call, "cannot merge %s into mapping", friendly.ptr);
	for (uint32_t i = 0; i < v.count; i++) {
		zp_vec_push(&m->names, v.type->attributes[i].name);
		zp_vec_push(&m->values, v.elements[i]);
	}
	return true;
}

static bool read_entry(struct decoder *d, struct mapping *m)
{
	struct hcl_value key, v;
	yaml_mark_t mark = d->event.start_mark;

	if (is_merge_key(d))
		return merge(d, m);
	if (d->event.type == YAML_ALIAS_EVENT)
		return fail_at(d, mark, "only strings are allowed as mapping keys");
	if (!read_node(d, &key))
		return false;
	if (hcl_is_null(key))
		return fail_at(d, mark, "mapping key cannot be null");
	if (!hcl_convert(d->call->arena, key, hcl_string, &key, NULL))
		return hcl_call_fail(d->call, "only strings are allowed as mapping keys");
	if (!next_event(d) || !read_node(d, &v))
		return false;
	zp_vec_push(&m->names, key.text);
	zp_vec_push(&m->values, v);
	return true;
}

static bool read_mapping(struct decoder *d, struct hcl_value *out)
{
	struct mapping m = { 0 };
	bool done = check_tag(d, d->event.data.mapping_start.tag, "map", "mapping");

	while (done) {
		done = next_event(d);
		if (!done || d->event.type == YAML_MAPPING_END_EVENT)
			break;
		done = read_entry(d, &m);
	}
	if (done)
		*out = hcl_object_build(
			d->call->arena, m.names.items, m.values.items, m.names.count);
	zp_vec_release(&m.names);
	zp_vec_release(&m.values);
	return done;
}

static bool read_alias(struct decoder *d, struct hcl_value *out)
{
	const char *name = (const char *)d->event.data.alias.anchor;

	for (size_t i = d->anchors.count; i-- > 0;) {
		const struct anchor *anchor = &d->anchors.items[i];
		if (strcmp(anchor->name, name) != 0)
			continue;
		if (anchor->open)
			return hcl_call_fail(d->call,
				"cannot refer to anchor \"%s\" from inside its own definition",
				name);
		d->nodes += anchor->nodes;
		*out = anchor->value;
		return true;
	}
	return hcl_call_fail(d->call, "reference to undefined anchor \"%s\"", name);
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static bool read_content(struct decoder *d, struct hcl_value *out)
{
	switch (d->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(d, out);
	case YAML_SEQUENCE_START_EVENT:
		return read_sequence(d, out);
	case YAML_MAPPING_START_EVENT:
		return read_mapping(d, out);
	case YAML_ALIAS_EVENT:
		return read_alias(d, out);
	default:
		return hcl_call_fail(d->call, "unexpected end of document");
	}
}

static bool read_node(struct decoder *d, struct hcl_value *out)
{
	const yaml_char_t *name = anchor_of(&d->event);
	size_t nodes = d->nodes++, at = d->anchors.count;

	if (d->depth >= MAX_DEPTH)
		return hcl_call_fail(d->call, "exceeded max depth of %d", MAX_DEPTH);
	if (name)
		zp_vec_push(&d->anchors,
			((struct anchor){ zp_strdup((const char *)name), { 0 }, 0, true }));
	d->depth++;
	bool done = read_content(d, out);
	d->depth--;
	if (name) {
		struct anchor *anchor = &d->anchors.items[at];
		anchor->value = *out;
		anchor->nodes = d->nodes - nodes;
		anchor->open = false;
	}
	if (done && d->nodes > MAX_NODES)
		return hcl_call_fail(d->call, "document contains excessive aliasing");
	return done;
}

static bool expect(struct decoder *d, yaml_event_type_t type, const char *problem)
{
	if (!next_event(d))
		return false;
	if (d->event.type == type)
		return true;
	yaml_mark_t mark = d->event.start_mark;
	mark.line += type == YAML_DOCUMENT_START_EVENT;
	return fail_at(d, mark, problem);
}

static bool read_document(struct decoder *d, struct hcl_value *out)
{
	return next_event(d) && expect(d, YAML_DOCUMENT_START_EVENT, "missing start of document") &&
	       next_event(d) && read_node(d, out) &&
	       expect(d, YAML_DOCUMENT_END_EVENT, "unexpected extra content after value") &&
	       expect(d, YAML_STREAM_END_EVENT, "unexpected extra content after value");
}

static bool yamldecode(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = hcl_text(call->args[0]);
	struct decoder d = { .call = call, .source = text };

	*out = hcl_null(hcl_dynamic);
	d.json_escapes = memmem(text.ptr, text.len, "\\/", 2);
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		d.byte = 3; /* a byte order mark is no character of the text */
	if (!yaml_parser_initialize(&d.parser))
		return hcl_call_fail(call, "out of memory");
	yaml_parser_set_input_string(&d.parser, (const unsigned char *)text.ptr, text.len);
	bool done = read_document(&d, out);
	yaml_event_delete(&d.event);
	yaml_parser_delete(&d.parser);
	for (size_t i = 0; i < d.anchors.count; i++)
		free(d.anchors.items[i].name);
	zp_vec_release(&d.anchors);
	return done;
}

struct encoder {
	yaml_emitter_t emitter;
	struct zp_buf out;
};

static int write_out(void *data, unsigned char *text, size_t len)
{
	struct encoder *e = data;

	zp_buf_add(&e->out, text, len);
	return e->out.len <= HCL_MAX_TEXT;
}

static bool emit(struct encoder *e, yaml_event_t *event)
{
	return yaml_emitter_emit(&e->emitter, event);
}

static bool emit_scalar(struct encoder *e, struct zp_str text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text.ptr,
		       (int)text.len, true, true, style) &&
	       emit(e, &event);
}

static bool emit_string(struct encoder *e, struct zp_str text)
{
	bool lines = memchr(text.ptr, '\n', text.len) != NULL;

	return emit_scalar(
		e, text, lines ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool emit_value(struct encoder *e, struct hcl_value v);

static bool emit_mapping(struct encoder *e, struct hcl_value v)
{
	yaml_event_t event;

	if (!yaml_mapping_start_event_initialize(
		    &event, NULL, NULL, true, YAML_BLOCK_MAPPING_STYLE) ||
		!emit(e, &event))
		return false;
	for (struct hcl_iterator it = hcl_iterate(v); hcl_iterator_next(&it);)
		if (!emit_string(e, hcl_text(it.key)) || !emit_value(e, it.value))
			return false;
	return yaml_mapping_end_event_initialize(&event) && emit(e, &event);
}

static bool emit_sequence(struct encoder *e, struct hcl_value v)
{
	yaml_event_t event;

	if (!yaml_sequence_start_event_initialize(
		    &event, NULL, NULL, true, YAML_BLOCK_SEQUENCE_STYLE) ||
		!emit(e, &event))
		return false;
	for (uint32_t i = 0; i < v.count; i++)
		if (!emit_value(e, v.elements[i]))
			return false;
	return yaml_sequence_end_event_initialize(&event) && emit(e, &event);
}

static bool emit_value(struct encoder *e, struct hcl_value v)
{
	zp_autobuf number = ZP_BUF_INIT;

	if (hcl_is_null(v))
		return emit_scalar(e, ZP_STR("null"), YAML_PLAIN_SCALAR_STYLE);
	switch (v.type->kind) {
	case HCL_BOOL:
		return emit_scalar(
			e, zp_str(v.boolean ? "true" : "false"), YAML_PLAIN_SCALAR_STYLE);
	case HCL_NUMBER:
		hcl_number_text(v, &number);
		return emit_scalar(e, zp_buf_slice(&number), YAML_PLAIN_SCALAR_STYLE);
	case HCL_STRING:
		return emit_string(e, hcl_text(v));
	case HCL_MAP:
	case HCL_OBJECT:
		return emit_mapping(e, v);
	default:
		return emit_sequence(e, v);
	}
}

static bool emit_document(struct encoder *e, struct hcl_value v)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && emit(e, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, true) &&
	       emit(e, &event) && emit_value(e, v) &&
	       yaml_document_end_event_initialize(&event, true) && emit(e, &event) &&
	       yaml_stream_end_event_initialize(&event) && emit(e, &event);
}

/* A plain scalar alone is followed by the mark of a document's end; nothing else is. */
static void end_document(struct zp_buf *out, struct hcl_value v)
{
	static const char end[] = "...\n";
	bool plain = hcl_is_null(v) || v.type == hcl_bool || v.type == hcl_number;
	bool ended = zp_str_ends(zp_buf_slice(out), "\n...\n");

	if (plain && !ended) {
		zp_buf_puts(out, end);
	} else if (!plain && ended) {
		out->len -= sizeof(end) - 1;
		out->ptr[out->len] = '\0';
	}
}

static bool yamlencode(struct hcl_call *call, struct hcl_value *out)
{
	struct encoder e = { .out = ZP_BUF_INIT };
	struct hcl_value v = call->args[0];

	if (!hcl_is_wholly_known(v)) {
		*out = hcl_unknown_not_null(hcl_string);
		return true;
	}
	if (!yaml_emitter_initialize(&e.emitter))
		return hcl_call_fail(call, "out of memory");
	yaml_emitter_set_output(&e.emitter, write_out, &e);
	yaml_emitter_set_unicode(&e.emitter, true);
	bool done = emit_document(&e, v);
	if (!done)
		hcl_call_fail(call, "%s",
			e.emitter.problem ? e.emitter.problem : "the result is too long");
	yaml_emitter_delete(&e.emitter);
	if (done) {
		end_document(&e.out, v);
		done = hcl_call_text(call, &e.out, out);
	}
	zp_buf_release(&e.out);
	return done;
}

static const struct hcl_function functions[] = {
	{ .name = "yamldecode",
		.params = { { "src", HCL_T_STRING, 0 } },
		.call = yamldecode,
		.maybe_null = true },
	{ .name = "yamlencode",
		.params = { { "value", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK | HCL_DYNAMIC_OK } },
		.returns = HCL_T_STRING,
		.call = yamlencode },
};

const struct hcl_function_list hcl_yaml_functions = { functions, ZP_ARRAY_SIZE(functions) };
