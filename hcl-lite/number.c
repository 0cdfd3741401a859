#include "hcl-lite/number.h"

#include <math.h>

#include "base/alloc.h"

/* Beyond this a 53-bit number does not print all of its digits. */
#define EXACT_DOUBLE ((int64_t)1 << 53)

static unsigned tag_of(unsigned precision)
{
	return precision == HCL_NUMBER_PRECISION ? 0 : precision;
}

unsigned hcl_number_precision(struct hcl_value v)
{
	if (v.big)
		return (unsigned)mpfr_get_prec(&v.number->value);
	return v.count ? v.count : HCL_NUMBER_PRECISION;
}

struct hcl_value hcl_number_exact(int64_t i, unsigned precision)
{
	return (struct hcl_value){ .type = hcl_number, .integer = i, .count = tag_of(precision) };
}

struct hcl_value hcl_int_value(int64_t i)
{
	return hcl_number_exact(i, 64);
}

void hcl_number_load(mpfr_ptr out, struct hcl_value v)
{
	mpfr_init2(out, (mpfr_prec_t)hcl_number_precision(v));
	if (v.big)
		mpfr_set(out, &v.number->value, MPFR_RNDN);
	else
		mpfr_set_si(out, v.integer, MPFR_RNDN);
}

static struct hcl_value store_big(struct zp_arena *arena, mpfr_srcptr x)
{
	size_t limbs = mpfr_custom_get_size(mpfr_get_prec(x));
	struct hcl_number *number = zp_arena_alloc(arena, sizeof(*number) + limbs);

	mpfr_custom_init(number + 1, mpfr_get_prec(x));
	mpfr_custom_init_set(&number->value, MPFR_ZERO_KIND, 0, mpfr_get_prec(x), number + 1);
	mpfr_set(&number->value, x, MPFR_RNDN);
	return (struct hcl_value){ .type = hcl_number, .number = number, .big = true };
}

static bool fits_integer(mpfr_srcptr x)
{
	if (!mpfr_integer_p(x) || !mpfr_fits_slong_p(x, MPFR_RNDN) ||
		(mpfr_zero_p(x) && mpfr_signbit(x)))
		return false;
	if (mpfr_get_prec(x) >= 64)
		return true;
	long i = mpfr_get_si(x, MPFR_RNDN);
	return i >= -EXACT_DOUBLE && i <= EXACT_DOUBLE;
}

struct hcl_value hcl_number_store(struct zp_arena *arena, mpfr_srcptr x)
{
	if (fits_integer(x))
		return hcl_number_exact(mpfr_get_si(x, MPFR_RNDN), (unsigned)mpfr_get_prec(x));
	if (mpfr_regular_p(x) && labs(mpfr_get_exp(x)) > HCL_NUMBER_MAX_EXPONENT) {
		mpfr_t limit;
		mpfr_init2(limit, mpfr_get_prec(x));
		if (mpfr_get_exp(x) > 0)
			mpfr_set_inf(limit, mpfr_sgn(x));
		else
			mpfr_set_zero(limit, mpfr_sgn(x));
		struct hcl_value v =
			mpfr_zero_p(limit) ? hcl_number_exact(0, 0) : store_big(arena, limit);
		mpfr_clear(limit);
		return v;
	}
	return store_big(arena, x);
}

struct hcl_value hcl_double_value(struct zp_arena *arena, double d)
{
	mpfr_t x;

	mpfr_init2(x, 53);
	mpfr_set_d(x, isnan(d) ? 0 : d, MPFR_RNDN);
	struct hcl_value v = hcl_number_store(arena, x);
	mpfr_clear(x);
	return v;
}

/* Values nest no deeper than expressions do. */
bool hcl_has_infinity(struct hcl_value v)
{
	if (v.state != HCL_KNOWN)
		return false;
	if (v.type == hcl_number)
		return hcl_number_is_infinite(v);
	if (hcl_type_is_primitive(v.type))
		return false;
	for (uint32_t i = 0; i < v.count; i++)
		if (hcl_has_infinity(v.type->kind == HCL_MAP ? v.entries[i].value : v.elements[i]))
			return true;
	return false;
}

bool hcl_number_is_infinite(struct hcl_value v)
{
	return v.big && mpfr_inf_p(&v.number->value);
}

bool hcl_number_is_whole(struct hcl_value v)
{
	return !v.big || mpfr_integer_p(&v.number->value);
}

int hcl_number_sign(struct hcl_value v)
{
	if (v.big)
		return mpfr_sgn(&v.number->value);
	return (v.integer > 0) - (v.integer < 0);
}

int hcl_number_compare(struct hcl_value a, struct hcl_value b)
{
	if (!a.big && !b.big)
		return (a.integer > b.integer) - (a.integer < b.integer);
	if (a.big && b.big)
		return mpfr_cmp(&a.number->value, &b.number->value);
	mpfr_t x;
	if (b.big) {
		hcl_number_load(x, a);
		int order = mpfr_cmp(x, &b.number->value);
		mpfr_clear(x);
		return order;
	}
	hcl_number_load(x, b);
	int order = mpfr_cmp(&a.number->value, x);
	mpfr_clear(x);
	return order;
}

bool hcl_number_to_int(struct hcl_value v, int64_t *out)
{
	if (!v.big) {
		*out = v.integer;
		return true;
	}
	if (!mpfr_integer_p(&v.number->value) || !mpfr_fits_slong_p(&v.number->value, MPFR_RNDN))
		return false;
	*out = mpfr_get_si(&v.number->value, MPFR_RNDN);
	return true;
}

double hcl_number_to_double(struct hcl_value v)
{
	return v.big ? mpfr_get_d(&v.number->value, MPFR_RNDN) : (double)v.integer;
}

static unsigned greater_precision(struct hcl_value a, struct hcl_value b)
{
	unsigned p = hcl_number_precision(a), q = hcl_number_precision(b);
	return p > q ? p : q;
}

typedef int (*operation)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

static bool calculate(struct zp_arena *arena, operation op, struct hcl_value a, struct hcl_value b,
	struct hcl_value *out)
{
	mpfr_t x, y, z;

	hcl_number_load(x, a);
	hcl_number_load(y, b);
	mpfr_init2(z, (mpfr_prec_t)greater_precision(a, b));
	op(z, x, y, MPFR_RNDN);
	bool valid = !mpfr_nan_p(z);
	if (valid)
		*out = hcl_number_store(arena, z);
	mpfr_clears(x, y, z, (mpfr_ptr)NULL);
	return valid;
}

/* Whole results at less than 64 bits may need rounding: those take the long way. */
static bool small_result(int64_t i, unsigned precision)
{
	return precision >= 64 || (i >= -EXACT_DOUBLE && i <= EXACT_DOUBLE);
}

bool hcl_number_add(
	struct zp_arena *arena, struct hcl_value a, struct hcl_value b, struct hcl_value *out)
{
	int64_t sum;

	if (!a.big && !b.big && !__builtin_add_overflow(a.integer, b.integer, &sum) &&
		small_result(sum, greater_precision(a, b))) {
		*out = hcl_number_exact(sum, greater_precision(a, b));
		return true;
	}
	return calculate(arena, mpfr_add, a, b, out);
}

bool hcl_number_subtract(
	struct zp_arena *arena, struct hcl_value a, struct hcl_value b, struct hcl_value *out)
{
	int64_t difference;

	if (!a.big && !b.big && !__builtin_sub_overflow(a.integer, b.integer, &difference) &&
		small_result(difference, greater_precision(a, b))) {
		*out = hcl_number_exact(difference, greater_precision(a, b));
		return true;
	}
	return calculate(arena, mpfr_sub, a, b, out);
}

/* A product keeps all its bits up to 512, even where the factors had fewer. */
bool hcl_number_multiply(
	struct zp_arena *arena, struct hcl_value a, struct hcl_value b, struct hcl_value *out)
{
	int64_t product;

	if (!a.big && !b.big && a.integer && b.integer &&
		!__builtin_mul_overflow(a.integer, b.integer, &product) &&
		small_result(product, greater_precision(a, b))) {
		*out = hcl_number_exact(product, greater_precision(a, b));
		return true;
	}
	mpfr_t x, y, z;
	hcl_number_load(x, a);
	hcl_number_load(y, b);
	mpfr_init2(z, HCL_NUMBER_PRECISION);
	mpfr_mul(z, x, y, MPFR_RNDN);
	bool valid = !mpfr_nan_p(z);
	if (valid) {
		mpfr_prec_t precision = (mpfr_prec_t)greater_precision(a, b);
		mpfr_prec_t needed = mpfr_regular_p(z) ? mpfr_min_prec(z) : 0;
		mpfr_prec_round(z, needed > precision ? needed : precision, MPFR_RNDN);
		*out = hcl_number_store(arena, z);
	}
	mpfr_clears(x, y, z, (mpfr_ptr)NULL);
	return valid;
}

bool hcl_number_divide(
	struct zp_arena *arena, struct hcl_value a, struct hcl_value b, struct hcl_value *out)
{
	if (!a.big && !b.big && b.integer && a.integer && b.integer != -1 &&
		a.integer % b.integer == 0 &&
		small_result(a.integer / b.integer, greater_precision(a, b))) {
		*out = hcl_number_exact(a.integer / b.integer, greater_precision(a, b));
		return true;
	}
	return calculate(arena, mpfr_div, a, b, out);
}

/* a - trunc(a / b) * b, at a's precision; what has no whole quotient to take away is a itself. */
bool hcl_number_modulo(
	struct zp_arena *arena, struct hcl_value a, struct hcl_value b, struct hcl_value *out)
{
	struct hcl_value quotient;

	if (!a.big && !b.big && b.integer && b.integer != -1) {
		*out = hcl_number_exact(a.integer % b.integer, hcl_number_precision(a));
		return true;
	}
	if (hcl_number_is_infinite(a)) {
		*out = hcl_number_exact(0, HCL_NUMBER_PRECISION);
		return true;
	}
	if (!hcl_number_divide(arena, a, b, &quotient))
		return false;
	if (hcl_number_is_infinite(quotient)) {
		*out = a;
		return true;
	}
	mpfr_t x, y, work;
	hcl_number_load(x, a);
	hcl_number_load(y, b);
	hcl_number_load(work, quotient);
	mpfr_trunc(work, work);
	mpfr_prec_round(work, mpfr_get_prec(x), MPFR_RNDN);
	mpfr_mul(work, y, work, MPFR_RNDN);
	mpfr_sub(work, x, work, MPFR_RNDN);
	bool valid = !mpfr_nan_p(work);
	if (valid)
		*out = hcl_number_store(arena, work);
	mpfr_clears(x, y, work, (mpfr_ptr)NULL);
	return valid;
}

struct hcl_value hcl_number_negate(struct zp_arena *arena, struct hcl_value v)
{
	if (!v.big && v.integer != 0 && v.integer != INT64_MIN) {
		v.integer = -v.integer;
		return v;
	}
	mpfr_t x;
	hcl_number_load(x, v);
	mpfr_neg(x, x, MPFR_RNDN);
	struct hcl_value result = hcl_number_store(arena, x);
	mpfr_clear(x);
	return result;
}

static struct hcl_value round_with(
	struct zp_arena *arena, struct hcl_value v, int (*round)(mpfr_ptr, mpfr_srcptr))
{
	if (hcl_number_is_whole(v) || hcl_number_is_infinite(v))
		return v;
	mpfr_t x;
	hcl_number_load(x, v);
	round(x, x);
	/* A rounded zero has no sign. */
	struct hcl_value result = mpfr_zero_p(x) ? hcl_number_exact(0, hcl_number_precision(v))
						 : hcl_number_store(arena, x);
	mpfr_clear(x);
	return result;
}

struct hcl_value hcl_number_round_up(struct zp_arena *arena, struct hcl_value v)
{
	return round_with(arena, v, mpfr_ceil);
}

struct hcl_value hcl_number_round_down(struct zp_arena *arena, struct hcl_value v)
{
	return round_with(arena, v, mpfr_floor);
}
