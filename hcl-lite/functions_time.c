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

struct parser {
	struct hcl_call *call;
	int argument;
	const char *at;
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
	for (size_t i = 0; i < 9; i++)
		t->nanosecond = t->nanosecond * 10 + (i < n ? p->at[1 + i] - '0' : 0);
	p->at += 1 + n;
}

static bool parse_hour(struct parser *p, int *hour)
{
	size_t n = strspn(p->at, "0123456789");

	if (n == 0)
		return cannot_use(p, p->at, "hour");
	if (n != 2)
		return refuse(p, "hour must have exactly two digits");
	*hour = (p->at[0] - '0') * 10 + (p->at[1] - '0');
	p->at += 2;
	return *hour <= 23 || refuse(p, "hour must be between 0 and 23 inclusive");
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
	if (hours > 24 || minutes > 60)
		return cannot_use(p, start, "UTC offset");
	p->at += 5;
	t->offset = sign * (hours * 60 + minutes);
	return true;
}

/* argument -1: failures are about the call. */
static bool parse_time(struct hcl_call *call, int argument, const char *text, struct instant *t)
{
	struct parser p = { call, argument, text };

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
	return true;
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

/* 'text', in which '' is a quote. Returns what comes after it; NULL when it does not end. */
static const char *add_literal(struct zp_buf *out, const char *at)
{
	for (at++; *at; at++) {
		if (*at != '\'') {
			zp_buf_char(out, *at);
		} else if (at[1] == '\'') {
			zp_buf_char(out, '\'');
			at++;
		} else {
			return at + 1;
		}
	}
	return NULL;
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool formatdate(struct hcl_call *call, struct hcl_value *out)
{
	struct instant t;
	zp_autobuf text = ZP_BUF_INIT;

	if (!parse_time(call, 1, call->args[1].text, &t))
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
	double nanoseconds;
} units[] = {
	{ "ns", 1 },
	{ "us", 1e3 },
	{ "\xc2\xb5s", 1e3 },
	{ "\xce\xbcs", 1e3 },
	{ "ms", 1e6 },
	{ "s", 1e9 },
	{ "m", 60e9 },
	{ "h", 3600e9 },
};

static const char *read_amount(const char *at, double *amount, bool *valid)
{
	double scale = 1;
	size_t whole = strspn(at, "0123456789"), part = 0;

	*amount = 0;
	for (size_t i = 0; i < whole; i++)
		*amount = *amount * 10 + (*at++ - '0');
	if (*at == '.') {
		at++;
		part = strspn(at, "0123456789");
		for (size_t i = 0; i < part; i++)
			*amount += (*at++ - '0') * (scale /= 10);
	}
	*valid = whole || part;
	return at;
}

/* As Go writes durations: 1h30m, -1.5h. In nanoseconds. */
static bool parse_duration(struct hcl_call *call, const char *text, double *total)
{
	const char *at = text;
	int sign = 1;
	zp_autobuf quoted = ZP_BUF_INIT;

	hcl_go_quote(&quoted, zp_str(text));
	*total = 0;
	if (*at == '-' || *at == '+')
		sign = *at++ == '-' ? -1 : 1;
	if (strcmp(at, "0") == 0)
		return true;
	if (!*at)
		return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
	while (*at) {
		double amount;
		bool valid;
		at = read_amount(at, &amount, &valid);
		if (!valid)
			return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
		size_t len = strcspn(at, ".0123456789"), i = 0;
		if (len == 0)
			return hcl_call_fail(call, "time: missing unit in duration %s", quoted.ptr);
		while (i < ZP_ARRAY_SIZE(units) && !zp_str_is(zp_strn(at, len), units[i].name))
			i++;
		if (i == ZP_ARRAY_SIZE(units))
			return hcl_call_fail(call, "time: unknown unit \"%.*s\" in duration %s",
				(int)len, at, quoted.ptr);
		*total += amount * units[i].nanoseconds;
		if (*total > 9.2e18)
			return hcl_call_fail(call, "time: invalid duration %s", quoted.ptr);
		at += len;
	}
	*total *= sign;
	return true;
}

static bool timeadd(struct hcl_call *call, struct hcl_value *out)
{
	struct instant t;
	double duration;
	zp_autobuf text = ZP_BUF_INIT;

	if (!parse_time(call, -1, call->args[0].text, &t) ||
		!parse_duration(call, call->args[1].text, &duration))
		return false;
	int64_t whole = (int64_t)(duration / 1e9);
	int64_t rest = (int64_t)(duration - (double)whole * 1e9) + t.nanosecond;
	whole += rest / 1000000000 - (rest < 0 && rest % 1000000000);
	from_seconds(to_seconds(&t) + whole, &t);
	add_rfc3339(&text, &t);
	return hcl_call_text(call, &text, out);
}

static bool timecmp(struct hcl_call *call, struct hcl_value *out)
{
	struct instant a, b;

	if (!parse_time(call, 0, call->args[0].text, &a) ||
		!parse_time(call, 1, call->args[1].text, &b))
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
