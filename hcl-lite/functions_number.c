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

static bool logarithm(struct hcl_call *call, struct hcl_value *out)
{
	double number = hcl_number_to_double(call->args[0]);
	double base = hcl_number_to_double(call->args[1]);

	return from_double(call, log(number) / log(base), out);
}

static bool power(struct hcl_call *call, struct hcl_value *out)
{
	double number = hcl_number_to_double(call->args[0]);

	return from_double(call, pow(number, hcl_number_to_double(call->args[1])), out);
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
