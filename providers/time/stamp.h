/*
 * Points in time as RFC 3339 writes them: "2024-02-29T12:00:00Z", "...+01:00".
 */
#ifndef PROVIDERS_TIME_STAMP_H
#define PROVIDERS_TIME_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define TIME_STAMP_TEXT 40

struct time_stamp {
	struct tm local; /* the clock of its zone; normalised */
	int zone;	 /* seconds east of Greenwich */
};

struct time_offset {
	int64_t years, months, days, hours, minutes, seconds;
};

/* False when text is none, or names a day or hour that does not exist. Fractions are dropped. */
bool time_stamp_parse(const char *text, struct time_stamp *out);
void time_stamp_format(const struct time_stamp *stamp, char out[TIME_STAMP_TEXT]);
struct time_stamp time_stamp_now(void);
int64_t time_stamp_unix(const struct time_stamp *stamp);
/* Years and months move the date (January 31 and a month is March 3 or 2), the rest adds to it. */
struct time_stamp time_stamp_add(const struct time_stamp *stamp, const struct time_offset *offset);
/* Whether the offset keeps within what a calendar can show: plus or minus some thousand years. */
bool time_offset_is_sane(const struct time_offset *offset);

#endif
