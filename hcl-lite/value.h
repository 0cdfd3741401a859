/*
 * Values. A value is 24 bytes, passed by value; what it points to lives in an arena and is never
 * changed once built, so values are shared freely between threads.
 *
 * A value has a type and is known, null or unknown. It may carry marks (sensitive, ephemeral); `marks`
 * are its own, `inside` tells what occurs anywhere below it, so that "wholly known" and "nothing
 * marked" are one comparison.
 *
 * Strings are NFC UTF-8. A number is an int64 where it is a whole number that fits one, else a
 * 512-bit float: one number has one form. Lists, sets, tuples and objects point to an array of values
 * (sets in cty's order without duplicates; objects in the order of their type's attributes); maps
 * point to entries sorted bytewise by key.
 */
#ifndef HCL_VALUE_H
#define HCL_VALUE_H

#include "base/arena.h"
#include "hcl-lite/type.h"

struct hcl_number;     /* a 512-bit float; number.h */
struct hcl_refinement; /* what is known of an unknown value; below */

enum hcl_state { HCL_KNOWN, HCL_NULL, HCL_UNKNOWN };

enum hcl_marks {
	HCL_SENSITIVE = 1,
	HCL_EPHEMERAL = 2,
	HCL_DEPRECATED = 4,
	HCL_CONSOLE_TYPE = 8, /* text that console's type() made, shown without quotes */
	HCL_ALL_MARKS = 15,
	HCL_HAS_UNKNOWN = 16, /* in `inside` only */
};

struct hcl_value {
	const struct hcl_type *type;
	union {
		bool boolean;
		int64_t integer;
		const struct hcl_number *number;
		const char *text; /* NUL-terminated too */
		const struct hcl_value *elements;
		const struct hcl_map_entry *entries;
		const struct hcl_refinement *refinement; /* unknown; may be NULL */
	};
	uint32_t count;	 /* elements, entries, or bytes of text */
	uint8_t state;	 /* enum hcl_state */
	uint8_t marks;	 /* enum hcl_marks: this value's own */
	uint8_t inside;	 /* marks and HCL_HAS_UNKNOWN of this value and all below it */
	bool big;	 /* a number held as hcl_number */
};

struct hcl_map_entry {
	struct zp_str key;
	struct hcl_value value;
};

struct hcl_refinement {
	bool not_null;
	struct zp_str prefix;		       /* of a string */
	bool has_min, has_max;		       /* of a number, or of a collection's length */
	bool min_inclusive, max_inclusive;
	struct hcl_value const *min, *max;     /* numbers */
	uint32_t length_min, length_max;       /* collections; max UINT32_MAX: unbounded */
};

#define HCL_MAX_ELEMENTS 0x7fffffffu

/* Constructors. Those without an arena allocate nothing. */
struct hcl_value hcl_null(const struct hcl_type *type);
struct hcl_value hcl_unknown(const struct hcl_type *type);
struct hcl_value hcl_unknown_refined(const struct hcl_type *type, const struct hcl_refinement *r);
struct hcl_value hcl_unknown_not_null(const struct hcl_type *type);
struct hcl_value hcl_bool_value(bool b);
struct hcl_value hcl_int_value(int64_t i);
struct hcl_value hcl_double_value(struct zp_arena *arena, double d);
/* Decimal text as in source or JSON ("1.5e3"). False when it is no number. */
bool hcl_parse_number(struct zp_arena *arena, struct zp_str text, struct hcl_value *value);
/* Copies; normalises to NFC, replacing invalid UTF-8. */
struct hcl_value hcl_string_value(struct zp_arena *arena, struct zp_str text);
struct hcl_value hcl_string_cstr(struct zp_arena *arena, const char *text);
/* Borrows text, which must be NUL-terminated NFC and outlive the value. */
struct hcl_value hcl_string_static(const char *text);
/*
 * Collections take ownership of nothing: `elements` must live in the same or a longer-lived arena and
 * is used as it is (sets and maps: sorted and deduplicated in place). Elements must already have the
 * element type.
 */
struct hcl_value hcl_list_value(const struct hcl_type *element, struct hcl_value *elements, size_t n);
struct hcl_value hcl_set_value(const struct hcl_type *element, struct hcl_value *elements, size_t n);
struct hcl_value hcl_map_value(const struct hcl_type *element, struct hcl_map_entry *entries, size_t n);
struct hcl_value hcl_tuple_value(struct hcl_value *elements, size_t n);
/* Elements in the order of type's attributes. */
struct hcl_value hcl_object_value(const struct hcl_type *type, struct hcl_value *elements);
/* Names in any order; a later duplicate wins. */
struct hcl_value hcl_object_build(struct zp_arena *arena, const char *const *names,
	const struct hcl_value *values, size_t n);

/* Questions. */
static inline bool hcl_is_known(struct hcl_value v) { return v.state != HCL_UNKNOWN; }
static inline bool hcl_is_null(struct hcl_value v) { return v.state == HCL_NULL; }
static inline bool hcl_is_unknown(struct hcl_value v) { return v.state == HCL_UNKNOWN; }
static inline bool hcl_is_wholly_known(struct hcl_value v) { return !(v.inside & HCL_HAS_UNKNOWN); }
static inline bool hcl_is_sensitive(struct hcl_value v) { return v.marks & HCL_SENSITIVE; }
static inline bool hcl_has_marks_inside(struct hcl_value v) { return v.inside & HCL_ALL_MARKS; }
/* What console's type() gave is only to be shown: true where it was made part of something else. */
static inline bool hcl_misuses_type(struct hcl_value v)
{
	return v.inside & HCL_CONSOLE_TYPE && !(v.marks & HCL_CONSOLE_TYPE && v.type == hcl_string);
}
static inline struct zp_str hcl_text(struct hcl_value v) { return zp_strn(v.text, v.count); }

/* Marks. */
struct hcl_value hcl_mark(struct hcl_value v, unsigned marks);
/* Drops this value's own marks only. */
struct hcl_value hcl_unmark(struct hcl_value v, unsigned *marks);
/* Unknown parts of objects, lists, tuples and maps become null, at every depth; a set with one does itself. */
struct hcl_value hcl_unknown_to_null(struct zp_arena *arena, struct hcl_value v);
/* Drops given marks at every depth; what had none is shared, not copied. */
struct hcl_value hcl_unmark_deep(struct zp_arena *arena, struct hcl_value v, unsigned marks);

/* Parts. The value must be known and not null. */
bool hcl_value_attribute(struct hcl_value object, const char *name, struct hcl_value *out);
bool hcl_map_lookup(struct hcl_value map, struct zp_str key, struct hcl_value *out);
/* Whole number in range of int64; false otherwise. */
bool hcl_number_to_int(struct hcl_value number, int64_t *out);
double hcl_number_to_double(struct hcl_value number);
/* Shortest decimal form, never with an exponent. */
void hcl_number_text(struct hcl_value number, struct zp_buf *out);

/*
 * Same type, same content; unknown equals unknown of the same type (structural sameness, as "does the
 * plan differ from the prior state" needs it). Marks must agree too.
 */
bool hcl_value_identical(struct hcl_value a, struct hcl_value b);
/* cty's order of elements in a set, for any two values of one type. */
int hcl_value_set_order(struct hcl_value a, struct hcl_value b);
uint64_t hcl_value_hash(struct hcl_value v);
/* Deep copy into another arena. */
struct hcl_value hcl_value_copy(struct zp_arena *arena, struct hcl_value v);

/*
 * One step of a path into a value: an attribute (name), or an index (key: string or number).
 */
struct hcl_step {
	const char *name; /* interned; NULL: index */
	struct hcl_value key;
};

struct hcl_path {
	struct hcl_step *steps;
	size_t count;
};

/* As in messages: ".a[0].b["k"]". */
void hcl_path_text(const struct hcl_path *path, struct zp_buf *out);

#endif
