/* SPDX-License-Identifier: Apache-2.0 */
/* civil.c – calendar arithmetic in whole days, after the proleptic Gregorian calendar.
 * Runs in: every process.
 *
 * Years are counted from March, so that the leap day is the last of its year, and in eras of 400
 * years, which all have the same number of days. */
#include "base/civil.h"

#define DAY_SECONDS 86400
#define ERA_DAYS 146097   /* 400 years */
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */
#define EPOCH_WEEKDAY 4   /* 1970-01-01 was a Thursday */

const char civil_weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
const char civil_months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static void date_from_days(int64_t days, struct civil *out) {
    int64_t shifted = days + EPOCH_DAYS;
    int64_t era = floor_divide(shifted, ERA_DAYS);
    int64_t in_era = shifted - era * ERA_DAYS; /* 0 to 146096 */
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * in_year + 2) / 153; /* 0 for March */
    out->day = (int)(in_year - (153 * from_march + 2) / 5) + 1;
    out->month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    out->year = (int)(era * 400 + year) + (out->month <= 2);
}

void civil_from_seconds(int64_t seconds, struct civil *out) {
    if (seconds < CIVIL_SECONDS_MIN) {
        seconds = CIVIL_SECONDS_MIN;
    }
    if (seconds > CIVIL_SECONDS_MAX) {
        seconds = CIVIL_SECONDS_MAX;
    }
    int64_t days = floor_divide(seconds, DAY_SECONDS);
    int rest = (int)(seconds - days * DAY_SECONDS);
    date_from_days(days, out);
    out->hour = rest / 3600;
    out->minute = rest / 60 % 60;
    out->second = rest % 60;
    int64_t weekday = (days + EPOCH_WEEKDAY) % 7;
    out->weekday = (int)(weekday < 0 ? weekday + 7 : weekday);
}

int64_t civil_to_seconds(const struct civil *c) {
    int64_t year = c->year - (c->month <= 2);
    int64_t era = floor_divide(year, 400);
    int64_t in_era = year - era * 400;
    int64_t from_march = c->month > 2 ? c->month - 3 : c->month + 9;
    int64_t in_year = (153 * from_march + 2) / 5 + c->day - 1;
    int64_t days = era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + in_year - EPOCH_DAYS;
    return days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
}

int civil_exists(const struct civil *c) {
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->year < 0 || c->year > 9999 || c->month < 1 || c->month > 12) {
        return 0;
    }
    int leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
    int length = lengths[c->month - 1] + (c->month == 2 && leap);
    return c->day >= 1 && c->day <= length && c->hour >= 0 && c->hour <= 23 && c->minute >= 0 &&
           c->minute <= 59 && c->second >= 0 && c->second <= 60;
}
