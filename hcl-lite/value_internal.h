/*
 * What the parts of the value half share among themselves.
 */
#ifndef HCL_VALUE_INTERNAL_H
#define HCL_VALUE_INTERNAL_H

#include "hcl-lite/value.h"

/*
 * A set of elements whose marks, at every depth, become the set's own: elements of a set have none.
 * elements is used as it is. With elements of a known type none may be of another.
 */
struct hcl_value hcl_set_build(struct zp_arena *arena, const struct hcl_type *element,
	struct hcl_value *elements, size_t n);

/*
 * Equality as == has it: HCL_KNOWN with *equal set, or HCL_UNKNOWN when it depends on what is
 * unknown. Marks are ignored. Values of different types are not equal.
 */
enum hcl_state hcl_value_equality(struct hcl_value a, struct hcl_value b, bool *equal);

/* What hcl_value_set_order goes by for all but strings, numbers and bools. */
void hcl_value_order_text(struct hcl_value v, struct zp_buf *out);

/* A string as Go's %q shows it, which is how the peer quotes in messages and results. */
void hcl_go_quote(struct zp_buf *out, struct zp_str text);
/* Letters, marks, numbers, punctuation, symbols, and the plain space. */
bool hcl_rune_printable(uint32_t rune);

/*
 * The part of text that stays as it is whatever comes after it: without its last grapheme cluster, and
 * at most limit bytes.
 */
struct zp_str hcl_safe_prefix(struct zp_str text, size_t limit);

/*
 * How many elements a known value has is open only for a set of several of which some are unknown: they
 * may turn out to be the same.
 */
static inline bool hcl_is_length_known(struct hcl_value v)
{
	return v.type->kind != HCL_SET || v.count <= 1 || hcl_is_wholly_known(v);
}

/* An unknown number that is not null and lies between two others, these included; NULL: no limit. */
struct hcl_value hcl_unknown_number(struct zp_arena *arena, const struct hcl_value *min,
	const struct hcl_value *max);
/* The fewest and the most elements a collection, known or not, may have. */
void hcl_length_bounds(struct hcl_value v, uint32_t *min, uint32_t *max);

/* Iterates over anything with elements: list, set, tuple by position, map, object by name. */
struct hcl_iterator {
	struct hcl_value of;
	uint32_t next;
	struct hcl_value key, value;
};

static inline struct hcl_iterator hcl_iterate(struct hcl_value of)
{
	return (struct hcl_iterator){ .of = of };
}

/* The key of a set's element is the element itself. */
bool hcl_iterator_next(struct hcl_iterator *it);

#endif
