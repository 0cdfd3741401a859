/*
 * Conversion and unification of types, as cty's convert package does them.
 */
#ifndef HCL_CONVERT_H
#define HCL_CONVERT_H

#include "hcl-lite/value.h"

/*
 * The value as `type` (which may contain dynamic and optional attributes; missing optional ones become
 * null). Marks are kept. On failure false, with the reason in words for people in `error` (as
 * `attribute "a": string required`), which may be NULL.
 */
bool hcl_convert(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error);
/* The same; the error says where in v it is, if not at its top: "[2].name: a number is required". */
bool hcl_convert_explained(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error);
/* The same; on failure `path` (may be NULL) gets where in the value it was, as ".a[0].b", or nothing. */
bool hcl_convert_at(struct zp_arena *arena, struct hcl_value v, const struct hcl_type *type,
	struct hcl_value *out, struct zp_buf *error, struct zp_buf *path);
/*
 * Whether values of one type convert to another. `lossy`: also where it depends on the value, as from
 * string to number, list to set, map to object. hcl_convert is lossy.
 */
bool hcl_type_converts(const struct hcl_type *from, const struct hcl_type *to, bool lossy);
/*
 * The type all the given ones convert to, or NULL when there is none. Never less specific than need be:
 * tuples become lists and objects maps only where they must.
 */
const struct hcl_type *hcl_unify(const struct hcl_type *const *types, size_t count);
/* The same, by conversions that can not fail. */
const struct hcl_type *hcl_unify_safe(const struct hcl_type *const *types, size_t count);
/* Why `got` can not be converted to `want`, in words. */
void hcl_mismatch_text(const struct hcl_type *got, const struct hcl_type *want, struct zp_buf *out);

/*
 * A type constraint with defaults: what `type = object({ a = optional(string, "x") })` means. Apply the
 * defaults first, then convert.
 */
struct hcl_defaults; /* opaque; NULL: no defaults */

struct hcl_constraint {
	const struct hcl_type *type;	   /* may have dynamic and optional parts */
	const struct hcl_defaults *defaults;
};

struct hcl_value hcl_apply_defaults(struct zp_arena *arena, const struct hcl_defaults *defaults,
	struct hcl_value v);

#endif
