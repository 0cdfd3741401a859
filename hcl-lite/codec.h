/*
 * Values as text: JSON as cty/json writes it (states, plans, outputs), and the layout people see in
 * console and output.
 */
#ifndef HCL_CODEC_H
#define HCL_CODEC_H

#include "base/json.h"
#include "hcl-lite/value.h"

/* Writes a value; marks are ignored, unknown parts become null. Dynamic parts of type `as` are
 * wrapped as {"value":..., "type":...}; pass NULL to write plainly. */
void hcl_value_to_json(struct zp_json_writer *writer, struct hcl_value v, const struct hcl_type *as);
/*
 * Reads the next JSON value as `type` (dynamic: {"value","type"} where `type` is dynamic at that
 * place). Missing object attributes become null. False with json->error set on failure.
 */
bool hcl_value_from_json(struct zp_json *json, struct zp_arena *arena, const struct hcl_type *type,
	struct hcl_value *out);
/* The type jsondecode gives plain JSON: objects, tuples, strings, numbers, bools, null. */
bool hcl_value_from_plain_json(struct zp_json *json, struct zp_arena *arena, struct hcl_value *out);

/* For `show -json`: after_unknown and *_sensitive. Objects and arrays with true where it applies;
 * leaves that are false are left out of objects; the whole is false or {} / [] as the peer writes. */
void hcl_unknown_to_json(struct zp_json_writer *writer, struct hcl_value v);
void hcl_sensitive_to_json(struct zp_json_writer *writer, struct hcl_value v);

/* As `terraform output` and console show it: HCL-like, indented, (sensitive value), (known after apply). */
void hcl_value_to_text(struct zp_buf *out, struct hcl_value v, uint32_t indent);
/* A string quoted as HCL source: escapes, ${ and %{ doubled. */
void hcl_quote(struct zp_buf *out, struct zp_str text);
/*
 * A known value as an expression of the language, not laid out: hcl_format does that. And the name of an
 * attribute, in quotes where it needs them.
 */
void hcl_value_to_config(struct zp_buf *out, struct hcl_value v);
void hcl_name_to_config(struct zp_buf *out, struct zp_str name);

#endif
