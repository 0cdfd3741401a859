#include "providers/time/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly count digits as a number, or -1. *text moves behind them. */
static int digits(const char **text, int count)
{
	int number = 0;
	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		number = number * 10 + (**text - '0');
	}
	return number;
}

static bool skip(const char **text, const char *any_of)
{
	if (!**text || !strchr(any_of, **text))
		return false;
	(*text)++;
	return true;
}

static bool parse_date(const char **text, struct tm *out)
{
	int year = digits(text, 4);
	if (year < 0 || !skip(text, "-"))
		return false;
	int month = digits(text, 2);
	if (month < 1 || month > 12 || !skip(text, "-"))
		return false;
	int day = digits(text, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int last = month == 2 ? 28 + leap : 30 + ((month + month / 8) & 1);
	out->tm_year = year - 1900;
	out->tm_mon = month - 1;
	out->tm_mday = day;
	return day >= 1 && day <= last;
}

static bool parse_clock(const char **text, struct tm *out)
{
	int hour = digits(text, 2);
	if (hour < 0 || hour > 23 || !skip(text, ":"))
		return false;
	int minute = digits(text, 2);
	if (minute < 0 || minute > 59 || !skip(text, ":"))
		return false;
	int second = digits(text, 2);
	if (second < 0 || second > 59)
		return false;
	out->tm_hour = hour;
	out->tm_min = minute;
	out->tm_sec = second;
	if (skip(text, ".,")) {
		const char *start = *text;
		*text += strspn(*text, "0123456789");
		return *text > start;
	}
	return true;
}

static bool parse_zone(const char **text, int *out)
{
	*out = 0;
	if (skip(text, "Z"))
		return true;
	int sign = **text == '-' ? -1 : 1;
	if (!skip(text, "+-"))
		return false;
	int hours = digits(text, 2);
	if (hours < 0 || hours > 23 || !skip(text, ":"))
		return false;
	int minutes = digits(text, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*out = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool time_stamp_parse(const char *text, struct time_stamp *out)
{
	memset(out, 0, sizeof(*out));
	return parse_date(&text, &out->local) && skip(&text, "T") &&
	       parse_clock(&text, &out->local) && parse_zone(&text, &out->zone) && !*text;
}

void time_stamp_format(const struct time_stamp *stamp, char out[TIME_STAMP_TEXT])
{
	const struct tm *tm = &stamp->local;
	int minutes = abs(stamp->zone) / 60;
	int len =
		snprintf(out, TIME_STAMP_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900,
			tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
	size_t room = TIME_STAMP_TEXT - (size_t)len;
	if (!stamp->zone)
		snprintf(out + len, room, "Z");
	else
		snprintf(out + len, room, "%c%02d:%02d", stamp->zone < 0 ? '-' : '+', minutes / 60,
			minutes % 60);
}

struct time_stamp time_stamp_now(void)
{
	struct time_stamp stamp = { 0 };
	time_t now = time(NULL);
	gmtime_r(&now, &stamp.local);
	return stamp;
}

int64_t time_stamp_unix(const struct time_stamp *stamp)
{
	struct tm copy = stamp->local;
	return (int64_t)timegm(&copy) - stamp->zone;
}

static bool is_within(int64_t number, int64_t limit)
{
	return number >= -limit && number <= limit;
}

bool time_offset_is_sane(const struct time_offset *offset)
{
	const int64_t years = 5000;
	return is_within(offset->years, years) && is_within(offset->months, years * 12) &&
	       is_within(offset->days, years * 366) && is_within(offset->hours, years * 366 * 24) &&
	       is_within(offset->minutes, years * 366 * 24 * 60) &&
	       is_within(offset->seconds, years * 366 * 24 * 3600);
}

struct time_stamp time_stamp_add(const struct time_stamp *stamp, const struct time_offset *offset)
{
	struct time_stamp sum = *stamp;
	sum.local.tm_year += (int)offset->years;
	sum.local.tm_mon += (int)offset->months;
	sum.local.tm_mday += (int)offset->days;
	time_t seconds = timegm(&sum.local);
	seconds += offset->hours * 3600 + offset->minutes * 60 + offset->seconds;
	gmtime_r(&seconds, &sum.local);
	return sum;
}
