/*
 * format and formatlist.
 */
#include <ctype.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/vec.h"
#include "hcl-lite/codec.h"
#include "hcl-lite/function.h"
#include "hcl-lite/grapheme.h"
#include "hcl-lite/number.h"

/* Wider or more precise than this is refused. */
#define MAX_WIDTH 100000

struct verb {
	struct zp_str raw; /* from the % to the letter */
	size_t offset;
	uint32_t mode;
	long width, precision; /* -1: not given */
	size_t argument;       /* from 1 */
	bool sharp, zero, space, plus, minus;
};

struct formatter {
	struct hcl_call *call;
	struct zp_str format;
	const struct hcl_value *args;
	size_t count;
	size_t at;
	size_t next;	/* the argument the next verb takes */
	size_t highest; /* the last one any verb took */
	struct zp_buf out;
};

static bool fail_verb(struct formatter *f, const struct verb *verb, const char *reason)
{
	zp_autobuf raw = ZP_BUF_INIT;

	hcl_go_quote(&raw, verb->raw);
	return hcl_call_fail(
		f->call, "unsupported value for %s at %zu: %s", raw.ptr, verb->offset, reason);
}

/* Width counts characters; it is made up with spaces, or zeros where the verb says so. */
static void pad(struct formatter *f, const struct verb *verb, struct zp_str text)
{
	size_t len = verb->width < 0 ? 0 : hcl_grapheme_count(text);
	size_t missing =
		verb->width < 0 || len >= (size_t)verb->width ? 0 : (size_t)verb->width - len;
	char fill = verb->zero ? '0' : ' ';

	if (!verb->minus)
		zp_buf_pad(&f->out, fill, missing);
	zp_buf_str(&f->out, text);
	if (verb->minus)
		zp_buf_pad(&f->out, fill, missing);
}

static void add_json(struct zp_buf *out, struct hcl_value v)
{
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, out, false);
	writer.html_safe = true;
	hcl_value_to_json(&writer, v, NULL);
}

/* d.ddde±dd out of digits rounded already. */
static void add_scientific(
	struct zp_buf *out, struct zp_str digits, long point, long precision, char letter)
{
	zp_buf_char(out, digits.len ? digits.ptr[0] : '0');
	if (precision > 0) {
		zp_buf_char(out, '.');
		size_t shown = digits.len > 1 ? digits.len - 1 : 0;
		if (shown > (size_t)precision)
			shown = (size_t)precision;
		zp_buf_add(out, digits.ptr + 1, shown);
		zp_buf_pad(out, '0', (size_t)precision - shown);
	}
	long exponent = digits.len ? point - 1 : 0;
	zp_buf_printf(out, "%c%c%02ld", letter, exponent < 0 ? '-' : '+', labs(exponent));
}

/* As %g without precision: the shortest digits, with an exponent from a million on. */
static void add_general(struct zp_buf *out, struct hcl_value v, char letter)
{
	zp_autobuf digits = ZP_BUF_INIT;
	bool negative;
	long point;

	if (hcl_number_sign(v) == 0 || hcl_number_is_infinite(v)) {
		hcl_number_text(v, out);
		return;
	}
	hcl_number_shortest(v, &digits, &point, &negative);
	long exponent = point - 1;
	if (exponent >= -4 && exponent < 6) {
		hcl_number_text(v, out);
		return;
	}
	if (negative)
		zp_buf_char(out, '-');
	add_scientific(out, zp_buf_slice(&digits), point, (long)digits.len - 1, letter);
}

static bool add_plain(struct formatter *f, const struct verb *verb, struct hcl_value v)
{
	zp_autobuf text = ZP_BUF_INIT;

	if (!verb->sharp && !hcl_is_null(v) && v.type == hcl_string)
		zp_buf_str(&text, hcl_text(v));
	else if (!verb->sharp && !hcl_is_null(v) && v.type == hcl_number)
		add_general(&text, v, 'e');
	else
		add_json(&text, v);
	pad(f, verb, zp_buf_slice(&text));
	return true;
}

static bool convert(struct formatter *f, const struct verb *verb, struct hcl_value v,
	const struct hcl_type *type, struct hcl_value *out)
{
	zp_autobuf reason = ZP_BUF_INIT;

	return hcl_convert(f->call->arena, v, type, out, &reason) ||
	       fail_verb(f, verb, reason.ptr ? reason.ptr : "");
}

static bool add_string(struct formatter *f, const struct verb *verb, struct hcl_value v)
{
	zp_autobuf quoted = ZP_BUF_INIT;

	if (!convert(f, verb, v, hcl_string, &v))
		return false;
	struct zp_str text = hcl_text(v);
	if (verb->precision > 0) {
		size_t end = 0;
		for (long i = 0; i < verb->precision && end < text.len; i++)
			end = hcl_grapheme_end(text, end);
		text.len = end;
	}
	if (verb->mode == 'q') {
		zp_json_quote(&quoted, text, true);
		text = zp_buf_slice(&quoted);
	}
	pad(f, verb, text);
	return true;
}

static const char *sign_of(const struct verb *verb, bool negative)
{
	return negative ? "-" : verb->plus ? "+" : verb->space ? " " : "";
}

static bool add_integer(struct formatter *f, const struct verb *verb, struct hcl_value v)
{
	static const char *const prefixes[] = {
		['b'] = "0b", ['o'] = "0", ['x'] = "0x", ['X'] = "0X"
	};
	int base = verb->mode == 'b' ? 2 : verb->mode == 'o' ? 8 : verb->mode == 'd' ? 10 : 16;
	mpfr_t x;
	mpz_t z;

	if (!hcl_number_is_whole(v) || hcl_number_is_infinite(v))
		return fail_verb(f, verb, "an integer is required");
	hcl_number_load(x, v);
	mpz_init(z);
	mpfr_get_z(z, x, MPFR_RNDN);
	const char *sign = sign_of(verb, mpz_sgn(z) < 0);
	mpz_abs(z, z);
	zp_autofree char *digits = zp_malloc(mpz_sizeinbase(z, base) + 2);
	mpz_get_str(digits, verb->mode == 'X' ? -16 : base, z);
	mpz_clear(z);
	mpfr_clear(x);

	const char *prefix =
		verb->sharp && prefixes[verb->mode < ZP_ARRAY_SIZE(prefixes) ? verb->mode : 0]
			? prefixes[verb->mode]
			: "";
	size_t len = strlen(digits), zeros = 0, left = 0, right = 0;
	if (verb->precision == 0 && strcmp(digits, "0") == 0)
		return true;
	if (verb->precision > (long)len)
		zeros = (size_t)verb->precision - len;
	size_t all = strlen(sign) + strlen(prefix) + zeros + len;
	if (verb->width > (long)all) {
		size_t missing = (size_t)verb->width - all;
		if (verb->minus)
			right = missing;
		else if (verb->zero && verb->precision < 0)
			zeros = missing;
		else
			left = missing;
	}
	zp_buf_pad(&f->out, ' ', left);
	zp_buf_puts(&f->out, sign);
	zp_buf_puts(&f->out, prefix);
	zp_buf_pad(&f->out, '0', zeros);
	zp_buf_puts(&f->out, digits);
	zp_buf_pad(&f->out, ' ', right);
	return true;
}

/* The digits of a float by the rules of its verb, without sign. */
static void float_digits(const struct verb *verb, struct hcl_value v, struct zp_buf *out)
{
	char format[] = { '%', '.', '*', 'R', (char)verb->mode, '\0' };
	mpfr_t x;

	if ((verb->mode == 'g' || verb->mode == 'G') && verb->precision < 0) {
		zp_autobuf text = ZP_BUF_INIT;
		add_general(&text, v, verb->mode == 'g' ? 'e' : 'E');
		struct zp_str t = zp_buf_slice(&text);
		bool sign = t.ptr[0] == '-' || t.ptr[0] == '+';
		zp_buf_add(out, t.ptr + sign, t.len - sign);
		return;
	}
	if (hcl_number_is_infinite(v)) {
		zp_buf_puts(out, "Inf");
		return;
	}
	hcl_number_load(x, v);
	mpfr_abs(x, x, MPFR_RNDN);
	char *text = NULL;
	int precision = verb->precision < 0 ? 6 : (int)verb->precision;
	int len = mpfr_asprintf(&text, format, precision, x);
	if (len > 0)
		zp_buf_add(out, text, (size_t)len);
	mpfr_free_str(text);
	mpfr_clear(x);
}

static bool add_float(struct formatter *f, const struct verb *verb, struct hcl_value v)
{
	zp_autobuf digits = ZP_BUF_INIT, text = ZP_BUF_INIT;
	bool infinite = hcl_number_is_infinite(v);

	hcl_number_text(v, &text);
	bool negative = text.ptr[0] == '-';
	float_digits(verb, v, &digits);
	const char *sign = sign_of(verb, negative);
	if (infinite && !negative)
		sign = verb->space ? " " : "+";
	size_t all = strlen(sign) + digits.len;
	size_t missing = verb->width > (long)all ? (size_t)verb->width - all : 0;
	bool zeros = verb->zero && !verb->minus && !infinite;
	if (!zeros && !verb->minus)
		zp_buf_pad(&f->out, ' ', missing);
	zp_buf_puts(&f->out, sign);
	if (zeros)
		zp_buf_pad(&f->out, '0', missing);
	zp_buf_str(&f->out, zp_buf_slice(&digits));
	if (verb->minus)
		zp_buf_pad(&f->out, ' ', missing);
	return true;
}

static bool add_verb(struct formatter *f, const struct verb *verb)
{
	zp_autobuf raw = ZP_BUF_INIT;
	struct hcl_value v;

	hcl_go_quote(&raw, verb->raw);
	if (verb->argument > f->count)
		return hcl_call_fail(f->call,
			"not enough arguments for %s at %zu: need index %zu but have %zu total",
			raw.ptr, verb->offset, verb->argument, f->count);
	v = f->args[verb->argument - 1];
	if (verb->mode != 'v' && hcl_is_null(v))
		return fail_verb(f, verb, "null value cannot be formatted");
	switch (verb->mode) {
	case 'v':
		return add_plain(f, verb, v);
	case 't':
		if (!convert(f, verb, v, hcl_bool, &v))
			return false;
		zp_buf_puts(&f->out, v.boolean ? "true" : "false");
		return true;
	case 'b':
	case 'd':
	case 'o':
	case 'x':
	case 'X':
		return convert(f, verb, v, hcl_number, &v) && add_integer(f, verb, v);
	case 'e':
	case 'E':
	case 'f':
	case 'g':
	case 'G':
		return convert(f, verb, v, hcl_number, &v) && add_float(f, verb, v);
	case 's':
	case 'q':
		return add_string(f, verb, v);
	default: {
		zp_autobuf mode = ZP_BUF_INIT;
		zp_buf_rune(&mode, verb->mode);
		return hcl_call_fail(f->call, "unsupported format verb '%s' in %s at offset %zu",
			mode.ptr, raw.ptr, verb->offset);
	}
	}
}

static int here(const struct formatter *f)
{
	return f->at < f->format.len ? (unsigned char)f->format.ptr[f->at] : -1;
}

static bool read_number(struct formatter *f, long *number)
{
	*number = 0;
	for (; isdigit(here(f)); f->at++) {
		if (*number <= MAX_WIDTH)
			*number = *number * 10 + (here(f) - '0');
	}
	return *number <= MAX_WIDTH ||
	       hcl_call_fail(f->call, "numbers in format strings may not be above %d", MAX_WIDTH);
}

static bool unrecognized(struct formatter *f)
{
	zp_autobuf rune = ZP_BUF_INIT;
	size_t len;

	if (f->at >= f->format.len)
		return hcl_call_fail(
			f->call, "invalid format string starting at offset %zu", f->at);
	zp_buf_rune(&rune, hcl_rune_at(f->format, f->at, &len));
	return hcl_call_fail(
		f->call, "unrecognized format character '%s' at offset %zu", rune.ptr, f->at);
}

static bool read_index(struct formatter *f, struct verb *verb)
{
	long number;

	f->at++;
	if (!isdigit(here(f)) || here(f) == '0')
		return unrecognized(f);
	if (!read_number(f, &number))
		return false;
	if (here(f) != ']')
		return unrecognized(f);
	f->at++;
	verb->argument = (size_t)number;
	return true;
}

static void read_flags(struct formatter *f, struct verb *verb)
{
	for (;; f->at++) {
		switch (here(f)) {
		case '#':
			verb->sharp = true;
			break;
		case '0':
			verb->zero = true;
			break;
		case ' ':
			verb->space = true;
			break;
		case '+':
			verb->plus = true;
			break;
		case '-':
			verb->minus = true;
			break;
		default:
			return;
		}
	}
}

/* %[flags][width][.precision][[index]]letter */
static bool read_verb(struct formatter *f)
{
	struct verb verb = { .offset = f->at, .width = -1, .precision = -1, .argument = f->next };
	size_t len;

	f->at++;
	read_flags(f, &verb);
	if (isdigit(here(f)) && !read_number(f, &verb.width))
		return false;
	if (here(f) == '.') {
		f->at++;
		if (!read_number(f, &verb.precision))
			return false;
	}
	if (here(f) == '[' && !read_index(f, &verb))
		return false;
	if (!isalpha(here(f)))
		return unrecognized(f);
	verb.mode = hcl_rune_at(f->format, f->at, &len);
	f->at += len;
	verb.raw = zp_strn(f->format.ptr + verb.offset, f->at - verb.offset);
	if (!add_verb(f, &verb))
		return false;
	if (verb.argument > f->highest)
		f->highest = verb.argument;
	f->next = verb.argument + 1;
	return true;
}

static bool run(struct formatter *f)
{
	while (f->at < f->format.len) {
		if (here(f) != '%') {
			zp_buf_char(&f->out, f->format.ptr[f->at++]);
		} else if (f->at + 1 < f->format.len && f->format.ptr[f->at + 1] == '%') {
			zp_buf_char(&f->out, '%');
			f->at += 2;
		} else if (!read_verb(f)) {
			return false;
		}
		if (f->out.len > HCL_MAX_TEXT)
			return hcl_call_fail(
				f->call, "the result would be longer than %u bytes", HCL_MAX_TEXT);
	}
	if (f->highest < f->count) {
		if (f->highest == 0)
			return hcl_call_fail_argument(
				f->call, 1, "too many arguments; no verbs in format string");
		return hcl_call_fail_argument(f->call, (int)f->highest + 1,
			"too many arguments; only %zu used by format string", f->highest);
	}
	return true;
}

static bool format_values(
	struct hcl_call *call, const struct hcl_value *args, size_t count, struct hcl_value *out)
{
	struct formatter f = { .call = call,
		.format = hcl_text(call->args[0]),
		.args = args,
		.count = count,
		.next = 1 };
	bool done = run(&f);

	if (done)
		*out = hcl_string_value(call->arena, zp_buf_slice(&f.out));
	zp_buf_release(&f.out);
	return done;
}

/* Text before the first verb is known whatever the arguments turn out to be. */
static struct hcl_value unknown_text(struct hcl_call *call)
{
	struct zp_str format = hcl_text(call->args[0]);
	const char *verb = memchr(format.ptr, '%', format.len);
	struct hcl_refinement *r = zp_new(call->arena, struct hcl_refinement);

	r->not_null = true;
	r->length_max = UINT32_MAX;
	if (verb)
		r->prefix = hcl_safe_prefix(zp_strn(format.ptr, (size_t)(verb - format.ptr)), 128);
	return hcl_unknown_refined(hcl_string, r);
}

static bool format(struct hcl_call *call, struct hcl_value *out)
{
	for (size_t i = 1; i < call->count; i++) {
		if (!hcl_is_wholly_known(call->args[i])) {
			*out = unknown_text(call);
			return true;
		}
	}
	return format_values(call, call->args + 1, call->count - 1, out);
}

static bool string_type(struct hcl_call *call, const struct hcl_type **type)
{
	(void)call;
	*type = hcl_string;
	return true;
}

static bool string_list_type(struct hcl_call *call, const struct hcl_type **type)
{
	(void)call;
	*type = hcl_list_type(hcl_string);
	return true;
}

/* How often formatlist formats: as often as its sequences are long, which must be all alike. */
struct iteration {
	uint32_t length;
	size_t chosen_by; /* the argument that decided; 0: none did */
	bool unknown;
};

static bool measure(struct hcl_call *call, struct iteration *it)
{
	for (size_t i = 1; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		bool sequence = hcl_type_is_sequence(v.type) && !hcl_is_null(v);
		/* A bare null too: what its type is has not been said. */
		if (v.type->kind == HCL_DYNAMIC)
			it->unknown = true;
		if (!sequence)
			continue;
		if (hcl_is_unknown(v) || !hcl_is_length_known(v)) {
			it->unknown = true;
			continue;
		}
		if (it->chosen_by && v.count != it->length)
			return hcl_call_fail_argument(call, (int)i,
				"argument %zu has length %u, which is inconsistent with argument "
				"%zu "
				"of length %u",
				i, v.count, it->chosen_by, it->length);
		if (!it->chosen_by) {
			it->length = v.count;
			it->chosen_by = i;
		}
	}
	return true;
}

static bool format_one(
	struct hcl_call *call, struct hcl_value *args, uint32_t at, struct hcl_value *out)
{
	for (size_t i = 1; i < call->count; i++) {
		struct hcl_value v = call->args[i];
		bool sequence = hcl_type_is_sequence(v.type) && !hcl_is_null(v);
		args[i - 1] = sequence ? v.elements[at] : v;
	}
	for (size_t i = 0; i + 1 < call->count; i++) {
		if (!hcl_is_wholly_known(args[i])) {
			*out = hcl_unknown_not_null(hcl_string);
			return true;
		}
	}
	if (format_values(call, args, call->count - 1, out))
		return true;
	zp_autofree char *reason = zp_buf_steal(&call->error);
	return hcl_call_fail(call, "error on format iteration %u: %s", at, reason);
}

static bool formatlist(struct hcl_call *call, struct hcl_value *out)
{
	struct iteration it = { 0 };
	zp_autofree struct hcl_value *args = zp_calloc(call->count, sizeof(*args));

	if (!measure(call, &it))
		return false;
	if (it.unknown) {
		*out = hcl_unknown_not_null(hcl_list_type(hcl_string));
		return true;
	}
	uint32_t n = it.chosen_by ? it.length : 1;
	struct hcl_value *elements = zp_arena_alloc(call->arena, n * sizeof(*elements));
	if (call->count == 1) {
		if (!format_values(call, args, 0, &elements[0]))
			return false;
	} else {
		for (uint32_t i = 0; i < n; i++)
			if (!format_one(call, args, i, &elements[i]))
				return false;
	}
	*out = hcl_list_value(hcl_string, elements, n);
	return true;
}

#define FORMAT .params = { { "format", HCL_T_STRING, 0 } }, .returns = HCL_T_ANY

static const struct hcl_function functions[] = {
	{ .name = "format",
		FORMAT,
		.rest = { "args", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK },
		.type = string_type,
		.call = format },
	{ .name = "formatlist",
		FORMAT,
		.rest = { "args", HCL_T_ANY, HCL_NULL_OK | HCL_UNKNOWN_OK | HCL_DYNAMIC_OK },
		.type = string_list_type,
		.call = formatlist },
};

const struct hcl_function_list hcl_format_functions = { functions, ZP_ARRAY_SIZE(functions) };
