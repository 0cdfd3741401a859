#include <math.h>

#include "hcl-lite/function.h"
#include "hcl-lite/number.h"

static bool absolute(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value v = call->args[0];
	zp_autobuf text = ZP_BUF_INIT;

	/* Negative zero, too, loses its sign; the text has it. */
	hcl_number_text(v, &text);
	*out = text.ptr[0] == '-' ? hcl_number_negate(call->arena, v) : v;
	return true;
}

static bool ceil_call(struct hcl_call *call, struct hcl_value *out)
{
	*out = hcl_number_round_up(call->arena, call->args[0]);
	return true;
}

static bool floor_call(struct hcl_call *call, struct hcl_value *out)
{
	*out = hcl_number_round_down(call->arena, call->args[0]);
	return true;
}

static bool from_double(struct hcl_call *call, double d, struct hcl_value *out)
{
	if (isnan(d))
		return hcl_call_fail(call, "the result is not a number");
	*out = hcl_double_value(call->arena, d);
	return true;
}

/*
 * The natural logarithm and powers by the peer's algorithms: those of the C library differ from
 * them in the last digit now and then, which would be seen.
 */
static double natural_log(double x)
{
	static const double high = 6.93147180369123816490e-01, low = 1.90821492927058770002e-10;
	static const double c[] = { 6.666666666666735130e-01, 3.999999999940941908e-01,
		2.857142874366239149e-01, 2.222219843214978396e-01, 1.818357216161805012e-01,
		1.531383769920937332e-01, 1.479819860511658591e-01 };
	int exponent;

	if (isnan(x) || (isinf(x) && x > 0))
		return x;
	if (x <= 0)
		return x < 0 ? NAN : -INFINITY;
	double f = frexp(x, &exponent);
	if (f < M_SQRT2 / 2) {
		f *= 2;
		exponent--;
	}
	f -= 1;
	double k = exponent, s = f / (2 + f), s2 = s * s, s4 = s2 * s2;
	double odd = s2 * (c[0] + s4 * (c[2] + s4 * (c[4] + s4 * c[6])));
	double even = s4 * (c[1] + s4 * (c[3] + s4 * c[5]));
	double half = 0.5 * f * f;
	return k * high - ((half - (s * (half + (odd + even)) + k * low)) - f);
}

/* By a series for a sixteenth of the rest after whole powers of two, squared four times. */
static double exponential(double x)
{
	static const double log2e = 1.4426950408889634073599246810018920;
	static const double high = 0.69314718055966295651160180568695068359375;
	static const double low = 0.28235290563031577122588448175013436025525412068e-12;
	static const double series[] = { 1, 0.5, 1.6666666666666666667e-1, 4.1666666666666666667e-2,
		8.3333333333333333333e-3, 1.3888888888888888889e-3, 1.9841269841269841270e-4 };
	double k = nearbyint(x * log2e), sum = 2.4801587301587301587e-5;

	if (fabs(x) > 700)
		return exp(x);
	x = fma(-k, low, fma(-k, high, x)) * 0.0625;
	for (size_t i = ZP_ARRAY_SIZE(series); i-- > 0;)
		sum = fma(sum, x, series[i]);
	x *= sum;
	for (int i = 0; i < 3; i++)
		x *= x + 2;
	return ldexp(fma(x, x + 2, 1), (int)k);
}

/* x to a whole power, by squaring the fraction and the exponent of x apart. */
static double whole_power(double start, double x, int64_t n, bool inverse)
{
	int exponent, step;
	double factor = frexp(x, &step), result = start;

	exponent = 0;
	for (; n; n >>= 1) {
		if (step < -(1 << 12) || step > 1 << 12) {
			exponent += step; /* beyond all numbers already */
			break;
		}
		if (n & 1) {
			result *= factor;
			exponent += step;
		}
		factor *= factor;
		step *= 2;
		if (factor < .5) {
			factor += factor;
			step--;
		}
	}
	return inverse ? ldexp(1 / result, -exponent) : ldexp(result, exponent);
}

static double raise_to(double x, double y)
{
	double whole, part = modf(fabs(y), &whole);
	bool special = y == 0 || x == 0 || x == 1 || isnan(x) || isnan(y) || isinf(x) || isinf(y) ||
		       whole >= 0x1p63;

	/* Where there is nothing to round. */
	if (special || (part != 0 && x < 0))
		return pow(x, y);
	if (y == 1)
		return x;
	if (fabs(y) == 0.5)
		return y > 0 ? sqrt(x) : 1 / sqrt(x);
	double start = 1;
	if (part != 0) {
		if (part > 0.5) {
			part--;
			whole++;
		}
		start = exponential(part * natural_log(x));
	}
	return whole_power(start, x, (int64_t)whole, y < 0);
}

static bool logarithm(struct hcl_call *call, struct hcl_value *out)
{
	double number = hcl_number_to_double(call->args[0]);
	double base = hcl_number_to_double(call->args[1]);

	return from_double(call, natural_log(number) / natural_log(base), out);
}

static bool power(struct hcl_call *call, struct hcl_value *out)
{
	double number = hcl_number_to_double(call->args[0]);

	return from_double(call, raise_to(number, hcl_number_to_double(call->args[1])), out);
}

static bool signum(struct hcl_call *call, struct hcl_value *out)
{
	int64_t i;

	if (!hcl_call_int(call, call->args[0], INT64_MIN, INT64_MAX, "", &i))
		return false;
	*out = hcl_int_value((i > 0) - (i < 0));
	return true;
}

static bool extreme(struct hcl_call *call, int sign, struct hcl_value *out)
{
	if (call->count == 0)
		return hcl_call_fail(call, "must pass at least one number");
	*out = call->args[0];
	for (size_t i = 1; i < call->count; i++)
		if (hcl_number_compare(call->args[i], *out) * sign > 0)
			*out = call->args[i];
	return true;
}

static bool max(struct hcl_call *call, struct hcl_value *out)
{
	return extreme(call, 1, out);
}

static bool min(struct hcl_call *call, struct hcl_value *out)
{
	return extreme(call, -1, out);
}

static bool parseint_type(struct hcl_call *call, const struct hcl_type **type)
{
	zp_autobuf friendly = ZP_BUF_INIT;

	*type = hcl_number;
	if (call->args[0].type == hcl_string)
		return true;
	hcl_type_friendly(call->args[0].type, &friendly);
	return hcl_call_fail_argument(
		call, 0, "first argument must be a string, not %s", friendly.ptr);
}

static void shown(struct hcl_value v, struct zp_buf *out)
{
	if (v.marks & HCL_SENSITIVE)
		zp_buf_puts(out, "(sensitive value)");
	else if (v.type == hcl_string)
		hcl_go_quote(out, hcl_text(v));
	else
		hcl_number_text(v, out);
}

/* Sees marks only so as not to show what is secret. */
static bool parseint(struct hcl_call *call, struct hcl_value *out)
{
	zp_autobuf text = ZP_BUF_INIT, base_text = ZP_BUF_INIT;
	const struct hcl_type *type;
	int64_t base;

	if (!parseint_type(call, &type))
		return false;
	if (!hcl_number_to_int(call->args[1], &base))
		return hcl_call_fail_argument(call, 1,
			"value must be a whole number, between -9223372036854775808 and "
			"9223372036854775807");
	if (base < 2 || base > 62)
		return hcl_call_fail_argument(
			call, 1, "base must be a whole number between 2 and 62 inclusive");
	if (!hcl_parse_integer(call->arena, hcl_text(call->args[0]), (int)base, out)) {
		shown(call->args[0], &text);
		shown(call->args[1], &base_text);
		return hcl_call_fail_argument(
			call, 0, "cannot parse %s as a base %s integer", text.ptr, base_text.ptr);
	}
	*out = hcl_mark(*out, call->args[0].marks | call->args[1].marks);
	return true;
}

static bool sum(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value list = call->args[0], v;
	zp_autobuf friendly = ZP_BUF_INIT;

	if (hcl_type_is_primitive(list.type))
		return hcl_call_fail_argument(call, 0, "cannot sum noniterable");
	if (list.count == 0)
		return hcl_call_fail_argument(call, 0, "cannot sum an empty list");
	if (!hcl_type_is_sequence(list.type)) {
		hcl_type_friendly(list.type, &friendly);
		return hcl_call_fail_argument(
			call, 0, "argument must be list, set, or tuple. Received %s", friendly.ptr);
	}
	if (!hcl_is_wholly_known(list)) {
		*out = hcl_unknown_not_null(hcl_number);
		return true;
	}
	for (uint32_t i = 0; i < list.count; i++) {
		if (hcl_is_null(list.elements[i]) ||
			!hcl_convert(call->arena, list.elements[i], hcl_number, &v, NULL))
			return hcl_call_fail_argument(
				call, 0, "argument must be list, set, or tuple of number values");
		if (i == 0)
			*out = v;
		else if (!hcl_number_add(call->arena, *out, v, out))
			return hcl_call_fail(call, "can't compute sum of opposing infinities");
	}
	return true;
}

/* How far and in what steps range() goes. */
static bool range_limits(struct hcl_call *call, struct hcl_value *start, struct hcl_value *end,
	struct hcl_value *step)
{
	if (call->count < 1 || call->count > 3)
		return hcl_call_fail(call, "must have one, two, or three arguments");
	*start = call->count == 1 ? hcl_int_value(0) : call->args[0];
	*end = call->count == 1 ? call->args[0] : call->args[1];
	int direction = hcl_number_compare(*end, *start);
	*step = call->count == 3 ? call->args[2] : hcl_int_value(direction < 0 ? -1 : 1);
	int sign = hcl_number_sign(*step);
	if (sign < 0 && direction > 0)
		return hcl_call_fail_argument(
			call, 1, "end must be less than start when step is negative");
	if (sign >= 0 && direction < 0)
		return hcl_call_fail_argument(
			call, 1, "end must be greater than start when step is positive");
	return true;
}

#define MAX_RANGE 1024

static bool range(struct hcl_call *call, struct hcl_value *out)
{
	struct hcl_value elements[MAX_RANGE], start, end, step;
	uint32_t n = 0;

	if (!range_limits(call, &start, &end, &step))
		return false;
	int sign = hcl_number_sign(step) < 0 ? -1 : 1;
	for (struct hcl_value v = start; hcl_number_compare(v, end) * sign < 0; n++) {
		if (n >= MAX_RANGE)
			return hcl_call_fail(call,
				"more than %d values were generated; either decrease the "
				"difference "
				"between start and end or use a smaller step",
				MAX_RANGE);
		elements[n] = v;
		if (!hcl_number_add(call->arena, v, step, &v))
			return hcl_call_fail(call, "can't compute sum of opposing infinities");
	}
	struct hcl_value *list = zp_arena_alloc(call->arena, n * sizeof(*list));
	memcpy(list, elements, n * sizeof(*list));
	*out = hcl_list_value(hcl_number, list, n);
	return true;
}

#define NUM                                                                                        \
	{                                                                                          \
		"num", HCL_T_NUMBER, 0                                                             \
	}
#define NUMBERS .rest = { "numbers", HCL_T_NUMBER, 0 }, .returns = HCL_T_NUMBER

static const struct hcl_function functions[] = {
	{ .name = "abs", .params = { NUM }, .returns = HCL_T_NUMBER, .call = absolute },
	{ .name = "ceil", .params = { NUM }, .returns = HCL_T_NUMBER, .call = ceil_call },
	{ .name = "floor", .params = { NUM }, .returns = HCL_T_NUMBER, .call = floor_call },
	{ .name = "log",
		.params = { NUM, { "base", HCL_T_NUMBER, 0 } },
		.returns = HCL_T_NUMBER,
		.call = logarithm },
	{ .name = "pow",
		.params = { NUM, { "power", HCL_T_NUMBER, 0 } },
		.returns = HCL_T_NUMBER,
		.call = power },
	{ .name = "signum", .params = { NUM }, .returns = HCL_T_NUMBER, .call = signum },
	{ .name = "max", NUMBERS, .call = max },
	{ .name = "min", NUMBERS, .call = min },
	{ .name = "parseint",
		.params = { { "number", HCL_T_ANY, HCL_MARKED_OK },
			{ "base", HCL_T_NUMBER, HCL_MARKED_OK } },
		.returns = HCL_T_ANY,
		.type = parseint_type,
		.call = parseint },
	{ .name = "sum",
		.params = { { "list", HCL_T_ANY, 0 } },
		.returns = HCL_T_NUMBER,
		.call = sum },
	{ .name = "range",
		.rest = { "params", HCL_T_NUMBER, 0 },
		.returns = HCL_T_LIST_NUMBER,
		.call = range },
};

const struct hcl_function_list hcl_number_functions = { functions, ZP_ARRAY_SIZE(functions) };
