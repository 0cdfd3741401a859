#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "hcl-lite/number.h"

/* Longer numbers in text are refused. */
#define MAX_DIGITS 100000

static bool parse_small(struct zp_str text, struct hcl_value *value)
{
	bool negative = text.len && text.ptr[0] == '-';
	size_t at = negative;
	int64_t i = 0;

	if (text.len == at || text.len - at > 18)
		return false;
	for (; at < text.len; at++) {
		if (!isdigit((unsigned char)text.ptr[at]))
			return false;
		i = i * 10 + (text.ptr[at] - '0');
	}
	if (negative && i == 0)
		return false;
	*value = hcl_number_exact(negative ? -i : i, HCL_NUMBER_PRECISION);
	return true;
}

static bool parse_infinity(struct zp_arena *arena, struct zp_str text, struct hcl_value *value)
{
	int sign = text.len && text.ptr[0] == '-' ? -1 : 1;
	size_t at = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');
	mpfr_t x;

	if (!zp_str_is(zp_strn(text.ptr + at, text.len - at), "Inf") &&
		!zp_str_is(zp_strn(text.ptr + at, text.len - at), "inf"))
		return false;
	mpfr_init2(x, HCL_NUMBER_PRECISION);
	mpfr_set_inf(x, sign);
	*value = hcl_number_store(arena, x);
	mpfr_clear(x);
	return true;
}

struct decimal {
	struct zp_buf mantissa; /* sign, digits and point, for mpfr */
	long exponent;
	bool binary; /* the exponent is one of 2 */
};

static size_t scan_digits(struct zp_str text, size_t at, struct zp_buf *out)
{
	size_t start = at;

	while (at < text.len && isdigit((unsigned char)text.ptr[at]))
		at++;
	zp_buf_add(out, text.ptr + start, at - start);
	return at;
}

static bool scan_exponent(struct zp_str text, size_t at, long *exponent)
{
	long sign = 1;
	size_t start;

	if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
		sign = text.ptr[at++] == '-' ? -1 : 1;
	for (start = at; at < text.len && isdigit((unsigned char)text.ptr[at]); at++)
		if (*exponent <= HCL_NUMBER_MAX_EXPONENT)
			*exponent = *exponent * 10 + (text.ptr[at] - '0');
	*exponent *= sign;
	return at == text.len && at > start;
}

static bool scan_decimal(struct zp_str text, struct decimal *d)
{
	size_t at = 0;

	if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
		zp_buf_char(&d->mantissa, text.ptr[at++]);
	size_t before = at;
	at = scan_digits(text, at, &d->mantissa);
	size_t digits = at - before;
	if (at < text.len && text.ptr[at] == '.') {
		zp_buf_char(&d->mantissa, '.');
		size_t point = ++at;
		at = scan_digits(text, at, &d->mantissa);
		digits += at - point;
	}
	if (digits == 0 || digits > MAX_DIGITS)
		return false;
	if (at == text.len)
		return true;
	if (!strchr("eEpP", text.ptr[at]) || text.ptr[at] == '\0')
		return false;
	d->binary = text.ptr[at] == 'p' || text.ptr[at] == 'P';
	return scan_exponent(text, at + 1, &d->exponent);
}

static void decimal_to_mpfr(struct decimal *d, mpfr_ptr x)
{
	if (!d->binary)
		zp_buf_printf(&d->mantissa, "e%ld", d->exponent);
	mpfr_strtofr(x, d->mantissa.ptr, NULL, 10, MPFR_RNDN);
	if (d->binary)
		mpfr_mul_2si(x, x, d->exponent, MPFR_RNDN);
}

bool hcl_parse_number(struct zp_arena *arena, struct zp_str text, struct hcl_value *value)
{
	struct decimal d = { 0 };
	bool valid = false;
	mpfr_t x;

	if (parse_small(text, value) || parse_infinity(arena, text, value))
		return true;
	mpfr_init2(x, HCL_NUMBER_PRECISION);
	if (scan_decimal(text, &d) && labs(d.exponent) <= HCL_NUMBER_MAX_EXPONENT) {
		decimal_to_mpfr(&d, x);
		valid = mpfr_number_p(x) &&
			(mpfr_zero_p(x) || labs(mpfr_get_exp(x)) <= HCL_NUMBER_MAX_EXPONENT);
		if (valid)
			*value = hcl_number_store(arena, x);
	}
	mpfr_clear(x);
	zp_buf_release(&d.mantissa);
	return valid;
}

static int digit_value(char c, int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return base <= 36 ? c - 'A' + 10 : c - 'A' + 36;
	return 1000;
}

static bool scan_integer(struct zp_str text, int base, mpz_ptr out)
{
	bool negative = text.len && text.ptr[0] == '-';
	size_t at = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');

	if (text.len == at || text.len > MAX_DIGITS)
		return false;
	for (size_t i = at; i < text.len; i++) {
		int digit = digit_value(text.ptr[i], base);
		if (digit >= base)
			return false;
		mpz_mul_ui(out, out, (unsigned long)base);
		mpz_add_ui(out, out, (unsigned long)digit);
	}
	if (negative)
		mpz_neg(out, out);
	return true;
}

bool hcl_parse_integer(
	struct zp_arena *arena, struct zp_str text, int base, struct hcl_value *value)
{
	mpz_t z;
	mpfr_t x;

	mpz_init(z);
	bool valid = scan_integer(text, base, z);
	if (valid) {
		size_t bits = mpz_sizeinbase(z, 2);
		mpfr_init2(x, bits < 64 ? 64 : (mpfr_prec_t)bits);
		mpfr_set_z(x, z, MPFR_RNDN);
		*value = hcl_number_store(arena, x);
		mpfr_clear(x);
	}
	mpz_clear(z);
	return valid;
}

/* The exact decimal digits of mantissa * 2^exponent, without trailing zeros, and where its point
 * is. */
static char *exact_digits(mpz_srcptr mantissa, long exponent, long *point)
{
	mpz_t scaled;

	mpz_init_set(scaled, mantissa);
	if (exponent >= 0) {
		mpz_mul_2exp(scaled, scaled, (unsigned long)exponent);
	} else {
		mpz_t power;
		mpz_init(power);
		mpz_ui_pow_ui(power, 5, (unsigned long)-exponent);
		mpz_mul(scaled, scaled, power);
		mpz_clear(power);
	}
	size_t room = mpz_sizeinbase(scaled, 10) + 2;
	char *digits = zp_malloc(room);
	mpz_get_str(digits, 10, scaled);
	mpz_clear(scaled);
	size_t len = strlen(digits);
	*point = (long)len + (exponent < 0 ? exponent : 0);
	while (len > 1 && digits[len - 1] == '0')
		digits[--len] = '\0';
	return digits;
}

static void round_up_at(char *digits, size_t keep, long *point)
{
	while (keep > 0 && digits[keep - 1] == '9')
		keep--;
	if (keep == 0) {
		digits[0] = '1';
		digits[1] = '\0';
		(*point)++;
		return;
	}
	digits[keep - 1]++;
	digits[keep] = '\0';
}

static void round_nearest_at(char *digits, size_t keep, long *point)
{
	size_t len = strlen(digits);

	if (keep >= len)
		return;
	bool half = digits[keep] == '5' && keep + 1 == len;
	bool up = half ? keep > 0 && (digits[keep - 1] - '0') % 2 : digits[keep] >= '5';
	if (up) {
		round_up_at(digits, keep, point);
		return;
	}
	digits[keep] = '\0';
	while (keep > 1 && digits[keep - 1] == '0')
		digits[--keep] = '\0';
}

static char digit_at(const char *digits, size_t len, size_t i)
{
	return i < len ? digits[i] : '0';
}

/*
 * Walks the digits until cutting them there, up or down, stays between the neighbours halfway to
 * the next numbers below and above. `inclusive`: those halfway points still round to this number.
 */
static void cut_shortest(
	char *digits, const char *lower, const char *upper, bool inclusive, long *point)
{
	size_t lower_len = strlen(lower), upper_len = strlen(upper);

	for (size_t i = 0; digits[i]; i++) {
		char m = digits[i];
		char l = digit_at(lower, lower_len, i), u = digit_at(upper, upper_len, i);
		bool down = l != m || (inclusive && i + 1 == lower_len);
		bool up = m != u && (inclusive || m + 1 < u || i + 1 < upper_len);
		if (down && up) {
			round_nearest_at(digits, i + 1, point);
			return;
		}
		if (down) {
			size_t keep = i + 1;
			digits[keep] = '\0';
			while (keep > 1 && digits[keep - 1] == '0')
				digits[--keep] = '\0';
			return;
		}
		if (up) {
			round_up_at(digits, i + 1, point);
			return;
		}
	}
}

void hcl_number_shortest(struct hcl_value v, struct zp_buf *out, long *point, bool *negative)
{
	mpz_t mantissa, neighbour;
	mpfr_t x;
	long ignored;

	hcl_number_load(x, v);
	*negative = mpfr_signbit(x);
	mpfr_abs(x, x, MPFR_RNDN);
	mpz_init(mantissa);
	mpz_init(neighbour);
	long exponent = mpfr_get_z_2exp(mantissa, x) - 1;
	/* The number's own last bit; the mantissa below has one more, worth half of it. */
	bool inclusive = !mpz_tstbit(mantissa, 0);
	mpz_mul_2exp(mantissa, mantissa, 1);
	zp_autofree char *digits = exact_digits(mantissa, exponent, point);
	mpz_sub_ui(neighbour, mantissa, 1);
	zp_autofree char *lower = exact_digits(neighbour, exponent, &ignored);
	mpz_add_ui(neighbour, mantissa, 1);
	zp_autofree char *upper = exact_digits(neighbour, exponent, &ignored);
	cut_shortest(digits, lower, upper, inclusive, point);
	zp_buf_puts(out, digits);
	mpz_clear(neighbour);
	mpz_clear(mantissa);
	mpfr_clear(x);
}

static void add_decimal(struct zp_buf *out, struct zp_str digits, long point)
{
	if (point <= 0) {
		zp_buf_puts(out, "0.");
		zp_buf_pad(out, '0', (size_t)-point);
		zp_buf_str(out, digits);
	} else if ((size_t)point >= digits.len) {
		zp_buf_str(out, digits);
		zp_buf_pad(out, '0', (size_t)point - digits.len);
	} else {
		zp_buf_add(out, digits.ptr, (size_t)point);
		zp_buf_char(out, '.');
		zp_buf_add(out, digits.ptr + point, digits.len - (size_t)point);
	}
}

static bool special_text(struct hcl_value v, struct zp_buf *out)
{
	if (!v.big || mpfr_regular_p(&v.number->value))
		return false;
	bool negative = mpfr_signbit(&v.number->value);
	if (mpfr_inf_p(&v.number->value))
		zp_buf_puts(out, negative ? "-Inf" : "+Inf");
	else
		zp_buf_puts(out, negative ? "-0" : "0");
	return true;
}

void hcl_number_text(struct hcl_value v, struct zp_buf *out)
{
	if (!v.big) {
		zp_buf_printf(out, "%lld", (long long)v.integer);
		return;
	}
	if (special_text(v, out))
		return;
	zp_autobuf digits = ZP_BUF_INIT;
	long point;
	bool negative;
	hcl_number_shortest(v, &digits, &point, &negative);
	if (negative)
		zp_buf_char(out, '-');
	add_decimal(out, zp_buf_slice(&digits), point);
}

void hcl_number_brief(struct hcl_value v, int digits, struct zp_buf *out)
{
	char text[512];
	mpfr_t x;

	if (special_text(v, out))
		return;
	hcl_number_load(x, v);
	int len = mpfr_snprintf(text, sizeof(text), "%.*Rg", digits, x);
	mpfr_clear(x);
	if (len > 0 && (size_t)len < sizeof(text))
		zp_buf_add(out, text, (size_t)len);
}
