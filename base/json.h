/*
 * JSON (RFC 8259) as a stream, without a document tree: a pull reader over text in memory, and a
 * writer into a buffer. For states and plans of any size; small documents may use cJSON.
 *
 * Reader:
 *	struct zp_json json;
 *	zp_json_init(&json, text);
 *	if (zp_json_enter_object(&json))
 *		while (zp_json_next_key(&json, &key))
 *			... read or skip exactly one value ...
 *	if (json.error) ...
 * An error sticks: every later call returns false, and json.error and json.offset say what and where.
 * Nesting is limited to ZP_JSON_MAX_DEPTH.
 */
#ifndef ZP_BASE_JSON_H
#define ZP_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define ZP_JSON_MAX_DEPTH 512

enum zp_json_kind {
	ZP_JSON_NONE, /* end of input, or an error */
	ZP_JSON_NULL,
	ZP_JSON_BOOL,
	ZP_JSON_NUMBER,
	ZP_JSON_STRING,
	ZP_JSON_ARRAY,
	ZP_JSON_OBJECT,
};

struct zp_json {
	struct zp_str text;
	size_t offset;	   /* next byte to read; after an error: where it is */
	const char *error; /* static text, NULL while all is well */
	uint32_t depth;
	bool first;	/* the next key or element is the first of its container */
	struct zp_buf scratch;
};

void zp_json_init(struct zp_json *json, struct zp_str text);
void zp_json_release(struct zp_json *json);

/* What the next value is, without consuming it. */
enum zp_json_kind zp_json_peek(struct zp_json *json);
bool zp_json_enter_object(struct zp_json *json);
/* False at the end of the object (which is consumed) or on error. key is valid until the next call. */
bool zp_json_next_key(struct zp_json *json, struct zp_str *key);
bool zp_json_enter_array(struct zp_json *json);
/* True when another element follows; at the end the bracket is consumed. */
bool zp_json_next_element(struct zp_json *json);

bool zp_json_read_null(struct zp_json *json);
bool zp_json_read_bool(struct zp_json *json, bool *value);
/* The number's text as written, a slice of the input. */
bool zp_json_read_number(struct zp_json *json, struct zp_str *text);
/* An integer; fractions and overflow are an error. */
bool zp_json_read_int(struct zp_json *json, int64_t *value);
/* A slice of the input where no escape stood in it, else of a scratch valid until the next read. */
bool zp_json_read_string(struct zp_json *json, struct zp_str *value);
/* As above, copied into the arena, NUL-terminated. */
bool zp_json_read_string_arena(struct zp_json *json, struct zp_arena *arena, struct zp_str *value);
/* Skips one value and gives its raw text, a slice of the input. raw may be NULL. */
bool zp_json_skip(struct zp_json *json, struct zp_str *raw);
/* Only white space is left. */
bool zp_json_at_end(struct zp_json *json);
/* Sets the error, if none is set. message is static. Returns false. */
bool zp_json_fail(struct zp_json *json, const char *message);

/*
 * Writer. Commas and indentation are its business; calls nest as the document does.
 */
struct zp_json_writer {
	struct zp_buf *out;
	uint32_t depth;
	bool pretty;	/* two spaces a level, as Go's MarshalIndent */
	bool html_safe; /* escape < > & as Go's encoding/json does */
	bool exact_integers; /* for those who write numbers: every digit of those that fit 64 bits */
	bool comma, after_key;
};

void zp_json_writer_init(struct zp_json_writer *writer, struct zp_buf *out, bool pretty);
void zp_json_begin_object(struct zp_json_writer *writer);
void zp_json_end_object(struct zp_json_writer *writer);
void zp_json_begin_array(struct zp_json_writer *writer);
void zp_json_end_array(struct zp_json_writer *writer);
void zp_json_key(struct zp_json_writer *writer, const char *key);
void zp_json_key_str(struct zp_json_writer *writer, struct zp_str key);
void zp_json_null(struct zp_json_writer *writer);
void zp_json_bool(struct zp_json_writer *writer, bool value);
void zp_json_int(struct zp_json_writer *writer, int64_t value);
void zp_json_string(struct zp_json_writer *writer, struct zp_str value);
void zp_json_cstr(struct zp_json_writer *writer, const char *value);
/* A member of that name; nothing when text is NULL. */
void zp_json_member(struct zp_json_writer *writer, const char *key, const char *text);
/* Valid JSON written elsewhere: a number's text or a kept fragment. Not re-indented. */
void zp_json_raw(struct zp_json_writer *writer, struct zp_str json);

/* Appends text as a JSON string with its quotes; U+2028 and U+2029 escaped, invalid UTF-8 replaced. */
void zp_json_quote(struct zp_buf *out, struct zp_str text, bool html_safe);

#endif
