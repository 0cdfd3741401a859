/*
 * Times as RFC 3339 has them.
 */
#include <time.h>

#include "hcl-lite/function.h"

struct instant {
	int year, month, day, hour, minute, second;
	int offset; /* minutes east of UTC */
	int64_t nanosecond;
};

static const char *const month_names[] = { "January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December" };
static const char *const day_names[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01, by counting in eras of 400 years that start in March. */
static int64_t days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, struct instant *t)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	t->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	t->month = (int)(month < 10 ? month + 3 : month - 9);
	t->year = (int)(year_of_era + era * 400 + (t->month <= 2));
}

static int64_t to_seconds(const struct instant *t)
{
	return days_from_date(t->year, t->month, t->day) * 86400 + t->hour * 3600 + t->minute * 60 +
	       t->second - t->offset * 60;
}

static void from_seconds(int64_t seconds, struct instant *t)
{
	seconds += t->offset * 60;
	int64_t days = seconds / 86400, rest = seconds % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	date_from_days(days, t);
	t->hour = (int)(rest / 3600);
	t->minute = (int)(rest / 60 % 60);
	t->second = (int)(rest % 60);
}

/*
 * Two readings of one format: the lenient one takes an hour of one digit, a comma before the
 * fraction and offsets up to 24:60; the strict one finds these once everything else is right.
 */
struct parser {
	struct hcl_call *call;
	int argument;
	const char *at;
	bool lenient;
	bool short_hour;
	const char *comma;
	const char *bad_offset;
};

static bool refuse(struct parser *p, const char *fmt, ...) ZP_PRINTF(2, 3);

static bool refuse(struct parser *p, const char *fmt, ...)
{
	zp_autobuf text = ZP_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	zp_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return p->argument < 0
		       ? hcl_call_fail(p->call, "not a valid RFC3339 timestamp: %s", text.ptr)
		       : hcl_call_fail_argument(p->call, p->argument,
				 "not a valid RFC3339 timestamp: %s", text.ptr);
}

static bool cannot_use(struct parser *p, const char *at, const char *what)
{
	zp_autobuf quoted = ZP_BUF_INIT;

	if (!*at)
		return refuse(p, "end of string before %s", what);
	hcl_go_quote(&quoted, zp_str(at));
	return refuse(p, "cannot use %s as %s", quoted.ptr, what);
}

static bool digits(struct parser *p, int count, int min, int max, const char *what, int *out)
{
	const char *start = p->at;

	*out = 0;
	for (int i = 0; i < count; i++, p->at++) {
		if (*p->at < '0' || *p->at > '9')
			return cannot_use(p, start, what);
		*out = *out * 10 + (*p->at - '0');
	}
	if (*out < min || *out > max)
		return cannot_use(p, p->at, what);
	return true;
}

static bool separator(struct parser *p, char c)
{
	if (*p->at == c) {
		p->at++;
		return true;
	}
	if (c == 'T')
		return refuse(p, "missing required time introducer 'T'");
	if (!*p->at)
		return refuse(p, "end of string where \"%c\" is expected", c);
	zp_autobuf quoted = ZP_BUF_INIT;
	hcl_go_quote(&quoted, zp_str(p->at));
	return refuse(p, "found %s where \"%c\" is expected", quoted.ptr, c);
}

static bool parse_minute(struct parser *p, int *minute)
{
	size_t n = strspn(p->at, "0123456789");

	if (p->lenient)
		return digits(p, 2, 0, 59, "minute", minute);
	if (n == 0)
		return cannot_use(p, p->at, "minute");
	*minute = (p->at[0] - '0') * 10 + (n > 1 ? p->at[1] - '0' : 0);
	if (n != 2 || *minute > 59)
		return refuse(p, "minute must have exactly two digits");
	p->at += 2;
	return true;
}

/* After a point or comma; what is below a nanosecond is dropped. */
static void parse_fraction(struct parser *p, struct instant *t)
{
	if (*p->at != '.' && *p->at != ',')
		return;
	size_t n = strspn(p->at + 1, "0123456789");
	if (n == 0)
		return;
	if (*p->at == ',')
		p->comma = p->at;
	for (size_t i = 0; i < 9; i++)
		t->nanosecond = t->nanosecond * 10 + (i < n ? p->at[1 + i] - '0' : 0);
	p->at += 1 + n;
}

static bool parse_hour(struct parser *p, int *hour)
{
	size_t n = strspn(p->at, "0123456789");

	if (n == 0)
		return cannot_use(p, p->at, "hour");
	p->short_hour = n == 1;
	*hour = *p->at++ - '0';
	if (n > 1)
		*hour = *hour * 10 + (*p->at++ - '0');
	if (*hour <= 23)
		return true;
	return p->lenient ? cannot_use(p, p->at, "hour")
			  : refuse(p, "hour must be between 0 and 23 inclusive");
}

static bool parse_offset(struct parser *p, struct instant *t)
{
	int hours, minutes;

	if (*p->at == 'Z') {
		p->at++;
		return true;
	}
	if (*p->at != '+' && *p->at != '-')
		return cannot_use(p, p->at, "UTC offset");
	const char *start = p->at;
	int sign = *p->at++ == '-' ? -1 : 1;
	bool shaped = strspn(p->at, "0123456789") == 2 && p->at[2] == ':' &&
		      strspn(p->at + 3, "0123456789") >= 2;
	if (!shaped)
		return cannot_use(p, start, "UTC offset");
	hours = (p->at[0] - '0') * 10 + (p->at[1] - '0');
	minutes = (p->at[3] - '0') * 10 + (p->at[4] - '0');
	p->at += 5;
	if (hours > 24 || minutes > 60)
		return cannot_use(p, p->at, "UTC offset");
	if (hours > 23 || minutes > 59)
		p->bad_offset = start;
	t->offset = sign * (hours * 60 + minutes);
	return true;
}

/* argument -1: failures are about the call. */
static bool parse_time(
	struct hcl_call *call, int argument, bool lenient, const char *text, struct instant *t)
{
	struct parser p = { .call = call, .argument = argument, .at = text, .lenient = lenient };

	*t = (struct instant){ 0 };
	if (!digits(&p, 4, 0, 9999, "year", &t->year) || !separator(&p, '-') ||
		!digits(&p, 2, 1, 12, "month", &t->month) || !separator(&p, '-') ||
		!digits(&p, 2, 0, 99, "day of month", &t->day) || !separator(&p, 'T') ||
		!parse_hour(&p, &t->hour) || !separator(&p, ':') || !parse_minute(&p, &t->minute) ||
		!separator(&p, ':') || !digits(&p, 2, 0, 59, "second", &t->second))
		return false;
	parse_fraction(&p, t);
	if (!parse_offset(&p, t))
		return false;
	if (*p.at)
		return cannot_use(&p, p.at, "timestamp segment");
	if (t->day < 1 || t->day > days_in_month(t->year, t->month))
		return refuse(&p, "day out of range");
	if (lenient)
		return true;
	if (p.short_hour)
		return refuse(&p, "hour must have exactly two digits");
	if (p.comma)
		return refuse(&p, "cannot use \",\" as timestamp segment");
	return !p.bad_offset || cannot_use(&p, p.bad_offset, "UTC offset");
}

static void add_rfc3339(struct zp_buf *out, const struct instant *t)
{
	int offset = t->offset < 0 ? -t->offset : t->offset;

	zp_buf_printf(out, "%s%04d-%02d-%02dT%02d:%02d:%02d", t->year < 0 ? "-" : "",
		t->year < 0 ? -t->year : t->year, t->month, t->day, t->hour, t->minute, t->second);
	if (t->offset == 0)
		zp_buf_char(out, 'Z');
	else
		zp_buf_printf(
			out, "%c%02d:%02d", t->offset < 0 ? '-' : '+', offset / 60, offset % 60);
}

static bool timestamp(struct hcl_call *call, struct hcl_value *out)
{
	struct instant t = { 0 };
	zp_autobuf text = ZP_BUF_INIT;

	from_seconds(time(NULL), &t);
	add_rfc3339(&text, &t);
	return hcl_call_text(call, &text, out);
}

static bool plantimestamp(struct hcl_call *call, struct hcl_value *out)
{
	struct zp_str text = call->ev->functions->plan_time;

	*out = text.len ? hcl_string_value(call->arena, text) : hcl_unknown_not_null(hcl_string);
	return true;
}

/* A letter repeated, or anything else alone. */
static bool add_verb(struct zp_buf *out, const struct instant *t, char letter, size_t count)
{
	int offset = t->offset < 0 ? -t->offset : t->offset;
	int hour12 = t->hour % 12 ? t->hour % 12 : 12;
	int weekday = (int)((days_from_date(t->year, t->month, t->day) % 7 + 11) % 7);
	int value;

	switch (letter) {
	case 'Y':
		if (count == 4)
			zp_buf_printf(out, "%04d", t->year);
		else if (count == 2)
			zp_buf_printf(out, "%02d", t->year % 100);
		return count == 4 || count == 2;
	case 'M':
		if (count >= 3) {
			const char *name = month_names[t->month - 1];
			zp_buf_add(out, name, count == 3 ? 3 : strlen(name));
			return count <= 4;
		}
		value = t->month;
		break;
	case 'D':
		value = t->day;
		break;
	case 'E':
		zp_buf_add(out, day_names[weekday], count == 3 ? 3 : strlen(day_names[weekday]));
		return count == 3 || count == 4;
	case 'h':
		value = t->hour;
		break;
	case 'H':
		value = hour12;
		break;
	case 'm':
		value = t->minute;
		break;
	case 's':
		value = t->second;
		break;
	case 'A':
	case 'a':
		zp_buf_puts(out, letter == 'A' ? (t->hour < 12 ? "AM" : "PM")
					       : (t->hour < 12 ? "am" : "pm"));
		return count == 2;
	case 'Z':
		if (count > 5 || count == 2)
			return false;
		if (t->offset == 0 && count == 1)
			zp_buf_char(out, 'Z');
		else if (t->offset == 0 && count == 3)
			zp_buf_puts(out, "UTC");
		else
			zp_buf_printf(out, count == 3 || count == 4 ? "%c%02d%02d" : "%c%02d:%02d",
				t->offset < 0 ? '-' : '+', offset / 60, offset % 60);
		return true;
	default:
		return false;
	}
	zp_buf_printf(out, count == 2 ? "%02d" : "%d", value);
	return count <= 2;
}

static const char *verb_hint(char letter)
{
	switch (letter) {
	case 'Y':
		return ": year must either be \"YY\" or \"YYYY\"";
	case 'M':
		return ": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"";
	case 'D':
		return ": day of month must either be \"D\" or \"DD\"";
	case 'E':
		return ": day of week must either be \"EEE\" or \"EEEE\"";
	case 'h':
		return ": 24-hour must either be \"h\" or \"hh\"";
	case 'H':
		return ": 12-hour must either be \"H\" or \"HH\"";
	case 'A':
		return ": must be \"AA\"";
	case 'a':
		return ": must be \"aa\"";
	case 'm':
		return ": minute must either be \"m\" or \"mm\"";
	case 's':
		return ": second must either be \"s\" or \"ss\"";
	case 'Z':
		return ": timezone must be Z, ZZZZ, or ZZZZZ";
	default:
		return "";
	}
}

/*
 * 'text', in which '' is a quote; '' alone is a quote too. Returns what comes after it; NULL when
 * it does not end. As the peer has it, a doubled quote that ends the format closes the text as
 * well.
 */
static const char *add_literal(struct zp_buf *out, const char *at)
{
	const char *start = at + 1, *end = start;

	if (*start == '\'') {
		zp_buf_char(out, '\'');
		return start + 1;
	}
	while (*end && (*end != '\'' || end[1] == '\''))
		end += *end == '\'' ? 2 : 1;
	const char *next = *end ? end + 1 : end;
	if (!*end && *--end != '\'')
		return NULL;
	if (end < start)
		return NULL;
	for (at = start; at < end; at++) {
		zp_buf_char(out, *at);
		at += *at == '\'';
	}
	return next;
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool formatdate(struct hcl_call *call, struct hcl_value *out)
{
	struct instant t;
	zp_autobuf text = ZP_BUF_INIT;

	if (!parse_time(call, 1, false, call->args[1].text, &t))
		return false;
	for (const char *at = call->args[0].text; *at;) {
		size_t count = 1;
		if (*at == '\'') {
			at = add_literal(&text, at);
			if (!at)
				return hcl_call_fail_argument(call, 0, "unterminated literal '");
			continue;
		}
		if (!is_letter(*at)) {
			zp_buf_char(&text, *at++);
			continue;
		}
		while (at[count] == *at)
			count++;
		if (!add_verb(&text, &t, *at, count))
			return hcl_call_fail_argument(call, 0,
				"invalid date format verb \"%.*s\"%s", (int)count, at,
				verb_hint(*at));
		at += count;
	}
	return hcl_call_text(call, &text, out);
}

static const struct {
	const char *name;
	uint64_t nanoseconds;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 },
	{ "\xce\xbcs", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
};

#define DURATION_LIMIT ((uint64_t)1 << 63)

struct amount {
	uint64_t whole, part;
	double scale; /* of part */
};

/* Returns what follows the number; NULL where there is none or it is too large. */
static const char *read_amount(const char *at, struct amount *amount)
{
	size_t digit_count = 0;
	bool exact = true;

	*amount = (struct amount){ .scale = 1 };
	for (; *at >= '0' && *at <= '9'; at++, digit_count++) {
		if (amount->whole > DURATION_LIMIT / 10)
			return NULL;
		amount->whole = amount->whole * 10 + (uint64_t)(*at - '0');
		if (amount->whole > DURATION_LIMIT)
			return NULL;
	}
	if (*at == '.') {
		for (at++; *at >= '0' && *at <= '9'; at++, digit_count++) {
			exact = exact && amount->part <= (DURATION_LIMIT - 10) / 10;
			if (!exact)
				continue; /* digits below what can be held */
			amount->part = amount->part * 10 + (uint64_t)(*at - '0');
			amount->scale *= 10;
		}
	}
	return digit_count ? at : NULL;
}

/* As Go writes durations: 1h30m, -1.5h. In nanoseconds. */
static bool parse_duration(struct hcl_call *call, const char *text, int64_t *out)
{
	const char *at = text;
	uint64_t total = 0;
	zp_autobuf quoted = ZP_BUF_INIT;

	hcl_go_quote(&quoted, zp_str(text));
	*out = 0;
	bool negative = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	if (strcmp(at, "0") == 0)
		return true;
	if (!*at)
		return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
	while (*at) {
		struct amount amount;
		at = read_amount(at, &amount);
		if (!at)
			return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
		size_t len = strcspn(at, ".0123456789"), i = 0;
		if (len == 0)
			return hcl_call_fail(call, "time: missing unit in duration %s", quoted.ptr);
		while (i < ZP_ARRAY_SIZE(units) && !zp_str_is(zp_strn(at, len), units[i].name))
			i++;
		if (i == ZP_ARRAY_SIZE(units))
			return hcl_call_fail(call, "time: unknown unit \"%.*s\" in duration %s",
				(int)len, at, quoted.ptr);
		uint64_t unit = units[i].nanoseconds;
		if (amount.whole > DURATION_LIMIT / unit)
			return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
		uint64_t part = (uint64_t)((double)amount.part * ((double)unit / amount.scale));
		total += amount.whole * unit;
		if (total > DURATION_LIMIT || part > DURATION_LIMIT - total)
			return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
		total += part;
		at += len;
	}
	if (total == DURATION_LIMIT && !negative)
		return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
	*out = negative ? (int64_t)(0 - total) : (int64_t)total;
	return true;
}

static bool timeadd(struct hcl_call *call, struct hcl_value *out)
{
	struct instant t;
	int64_t duration;
	zp_autobuf text = ZP_BUF_INIT;

	if (!parse_time(call, -1, false, call->args[0].text, &t) ||
		!parse_duration(call, call->args[1].text, &duration))
		return false;
	int64_t whole = duration / 1000000000;
	int64_t rest = duration % 1000000000 + t.nanosecond;
	whole += rest / 1000000000 - (rest < 0 && rest % 1000000000);
	from_seconds(to_seconds(&t) + whole, &t);
	add_rfc3339(&text, &t);
	return hcl_call_text(call, &text, out);
}

static bool timecmp(struct hcl_call *call, struct hcl_value *out)
{
	struct instant a, b;

	if (!parse_time(call, 0, true, call->args[0].text, &a) ||
		!parse_time(call, 1, true, call->args[1].text, &b))
		return false;
	int64_t x = to_seconds(&a), y = to_seconds(&b);
	if (x == y) {
		x = a.nanosecond;
		y = b.nanosecond;
	}
	*out = hcl_int_value((x > y) - (x < y));
	return true;
}

static const struct hcl_function functions[] = {
	{ .name = "timestamp", .returns = HCL_T_STRING, .kind = HCL_IMPURE, .call = timestamp },
	{ .name = "plantimestamp",
		.returns = HCL_T_STRING,
		.kind = HCL_NOT_CONSOLE,
		.call = plantimestamp },
	{ .name = "formatdate",
		.params = { { "format", HCL_T_STRING, 0 }, { "time", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = formatdate },
	{ .name = "timeadd",
		.params = { { "timestamp", HCL_T_STRING, 0 }, { "duration", HCL_T_STRING, 0 } },
		.returns = HCL_T_STRING,
		.call = timeadd },
	{ .name = "timecmp",
		.params = { { "timestamp_a", HCL_T_STRING, 0 },
			{ "timestamp_b", HCL_T_STRING, 0 } },
		.returns = HCL_T_NUMBER,
		.call = timecmp },
};

const struct hcl_function_list hcl_time_functions = { functions, ZP_ARRAY_SIZE(functions) };
