/*
 * Numbers as the peer has them: binary floats of up to 512 bits that remember their precision, because
 * a number prints as the shortest decimal that is unique at its precision. Whole numbers that fit an
 * int64 are held in the value itself, with the precision in `count` (0: 512).
 *
 * Where a number comes from decides its precision: text 512, counts and positions 64, floating point
 * functions 53. Sums, differences and quotients have the greater one of their operands.
 *
 * All values given here must be known, not null, and of type number.
 */
#ifndef HCL_NUMBER_H
#define HCL_NUMBER_H

#include <mpfr.h>

#include "hcl-lite/value.h"

#define HCL_NUMBER_PRECISION 512

/*
 * Magnitudes beyond 2^±this become infinite or zero, so that no text of a number grows beyond
 * memory: about 79,000 digits.
 */
#define HCL_NUMBER_MAX_EXPONENT (1L << 18)

struct hcl_number {
	__mpfr_struct value; /* its limbs follow in the same allocation */
};

/* The number as an mpfr, initialised here with the number's precision; release with mpfr_clear(). */
void hcl_number_load(mpfr_ptr out, struct hcl_value v);
/* A copy of x, in the form of a value. NaN must have been dealt with. */
struct hcl_value hcl_number_store(struct zp_arena *arena, mpfr_srcptr x);
unsigned hcl_number_precision(struct hcl_value v);
/* An int64 with a given precision. */
struct hcl_value hcl_number_exact(int64_t i, unsigned precision);

int hcl_number_compare(struct hcl_value a, struct hcl_value b);
/* -1, 0, 1; 0 for negative zero. */
int hcl_number_sign(struct hcl_value v);
bool hcl_number_is_whole(struct hcl_value v);
bool hcl_number_is_infinite(struct hcl_value v);
/* Whether any number inside the value is infinite: JSON, and so a state, can not hold it. */
bool hcl_has_infinity(struct hcl_value v);

/* False when the result is no number at all: 0/0, infinity minus infinity. */
bool hcl_number_add(struct zp_arena *arena, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out);
bool hcl_number_subtract(struct zp_arena *arena, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out);
bool hcl_number_multiply(struct zp_arena *arena, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out);
bool hcl_number_divide(struct zp_arena *arena, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out);
bool hcl_number_modulo(struct zp_arena *arena, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out);
struct hcl_value hcl_number_negate(struct zp_arena *arena, struct hcl_value v);
struct hcl_value hcl_number_round_up(struct zp_arena *arena, struct hcl_value v);
struct hcl_value hcl_number_round_down(struct zp_arena *arena, struct hcl_value v);

/* Like hcl_parse_number, in a base from 2 to 62, whole numbers only; for parseint. */
bool hcl_parse_integer(struct zp_arena *arena, struct zp_str text, int base,
	struct hcl_value *value);

/*
 * Shortest digits of a finite number other than zero that are unique at its precision: the digits
 * without point, and the position of the point relative to their start (0.00123 has "123" and -2).
 */
void hcl_number_shortest(struct hcl_value v, struct zp_buf *digits, long *point, bool *negative);
/* The number rounded to at most `digits` significant ones, as %.<digits>g prints it. */
void hcl_number_brief(struct hcl_value v, int digits, struct zp_buf *out);

#endif
