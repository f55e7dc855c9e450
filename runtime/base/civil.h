/* SPDX-License-Identifier: Apache-2.0 */
/* civil.h – seconds since the epoch to year, month, day and back, in UTC.
 * Runs in: every process. No locale, no time zone, no allocation, no global state. */
#ifndef LUTTPD_BASE_CIVIL_H
#define LUTTPD_BASE_CIVIL_H

#include <stdint.h>

struct civil {
    int year;    /* 0 to 9999 */
    int month;   /* 1 to 12 */
    int day;     /* 1 to 31 */
    int hour;    /* 0 to 23 */
    int minute;  /* 0 to 59 */
    int second;  /* 0 to 59; 60 is read as the next minute's first */
    int weekday; /* 0 for Sunday to 6; ignored by civil_to_seconds */
};

#define CIVIL_SECONDS_MIN (-62167219200) /* 0000-01-01 00:00:00 */
#define CIVIL_SECONDS_MAX 253402300799   /* 9999-12-31 23:59:59 */

/** The names, three letters each, in English as every protocol wants them. */
extern const char civil_weekdays[7][4];
extern const char civil_months[12][4];

/** Breaks a moment down. seconds outside the two bounds above are taken as the bound. */
void civil_from_seconds(int64_t seconds, struct civil *out);

/** The opposite. c: every member in its range, the day existing in its month (civil_exists). */
int64_t civil_to_seconds(const struct civil *c);

/** Whether such a day and time exists in the calendar; second may be 60. */
int civil_exists(const struct civil *c);

#endif
