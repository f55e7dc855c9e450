/* SPDX-License-Identifier: Apache-2.0 */
/* http_date.c – one template per format, walked character by character.
 * Runs in: listener, vhost. Distrusts: the text it parses.
 *
 * A template's letters stand for a part of the date, everything else for itself:
 *   W weekday, three letters    L weekday in full    M month, three letters
 *   D two digits of day    d day, a space before one digit    y two digits of year    Y four
 *   h, m, s two digits each    ! the next character, as it is */
#include "base/http_date.h"

#include <errno.h>

#include "base/civil.h"

static const char imf_fixdate[] = "W, D M Y h:m:s !G!M!T";
static const char rfc850[] = "L, D-M-y h:m:s !G!M!T";
static const char asctime_date[] = "W M d h:m:s Y";

struct cursor {
    const char *p, *end;
};

static char *put_number(char *p, int value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

static char *put_bytes(char *p, const char *text, size_t n) {
    memcpy(p, text, n);
    return p + n;
}

void http_date_format(char *out, int64_t seconds) {
    struct civil c;
    civil_from_seconds(seconds, &c);
    out = put_bytes(out, civil_weekdays[c.weekday], 3);
    out = put_bytes(out, ", ", 2);
    out = put_number(out, c.day, 2);
    *out++ = ' ';
    out = put_bytes(out, civil_months[c.month - 1], 3);
    *out++ = ' ';
    out = put_number(out, c.year, 4);
    *out++ = ' ';
    out = put_number(out, c.hour, 2);
    *out++ = ':';
    out = put_number(out, c.minute, 2);
    *out++ = ':';
    out = put_number(out, c.second, 2);
    put_bytes(out, " GMT", 4);
}

static int take_literal(struct cursor *c, const char *text, size_t n) {
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0) {
        return -EINVAL;
    }
    c->p += n;
    return 0;
}

static int take_number(struct cursor *c, int digits) {
    int value = 0;
    if (c->end - c->p < digits) {
        return -EINVAL;
    }
    for (int i = 0; i < digits; i++) {
        char digit = *c->p++;
        if (digit < '0' || digit > '9') {
            return -EINVAL;
        }
        value = value * 10 + (digit - '0');
    }
    return value;
}

static int take_padded_day(struct cursor *c) {
    if (c->p < c->end && *c->p == ' ') {
        c->p++;
        return take_number(c, 1);
    }
    return take_number(c, 2);
}

/* Index of the name that stands here, or -EINVAL. */
static int take_name(struct cursor *c, const char (*names)[4], int count) {
    for (int i = 0; i < count; i++) {
        if (take_literal(c, names[i], 3) == 0) {
            return i;
        }
    }
    return -EINVAL;
}

static int take_long_weekday(struct cursor *c) {
    static const char *const rest[7] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
    int weekday = take_name(c, civil_weekdays, 7);
    if (weekday < 0) {
        return weekday;
    }
    int rc = take_literal(c, rest[weekday], strlen(rest[weekday]));
    return rc < 0 ? rc : weekday;
}

/* RFC 9110: a year that appears to be more than 50 years in the future is the most recent one in
 * the past with the same last two digits. */
static int full_year(int two_digits, int64_t now) {
    struct civil today;
    civil_from_seconds(now, &today);
    int year = today.year - today.year % 100 + two_digits;
    if (year <= today.year - 50) {
        year += 100;
    }
    if (year > today.year + 50) {
        year -= 100;
    }
    return year;
}

/* Which member of the date a part stands for; NULL for a character that stands for itself. */
static int *member_of(struct civil *date, char part) {
    switch (part) {
    case 'W':
    case 'L':
        return &date->weekday;
    case 'M':
        return &date->month;
    case 'D':
    case 'd':
        return &date->day;
    case 'Y':
    case 'y':
        return &date->year;
    case 'h':
        return &date->hour;
    case 'm':
        return &date->minute;
    case 's':
        return &date->second;
    default:
        return NULL;
    }
}

static int take_value(struct cursor *c, char part, int64_t now) {
    int value;
    switch (part) {
    case 'W':
        return take_name(c, civil_weekdays, 7);
    case 'L':
        return take_long_weekday(c);
    case 'M':
        value = take_name(c, civil_months, 12);
        return value < 0 ? value : value + 1;
    case 'd':
        return take_padded_day(c);
    case 'Y':
        return take_number(c, 4);
    case 'y':
        value = take_number(c, 2);
        return value < 0 ? value : full_year(value, now);
    default:
        return take_number(c, 2);
    }
}

static int take_part(struct cursor *c, char part, int64_t now, struct civil *date) {
    int *member = member_of(date, part);
    if (member == NULL) {
        return take_literal(c, &part, 1);
    }
    int value = take_value(c, part, now);
    if (value < 0) {
        return value;
    }
    *member = value;
    return 0;
}

static int parse_as(const char *format, struct slice text, int64_t now, int64_t *out) {
    struct cursor c = {text.p, text.p + text.n};
    struct civil date = {0};
    for (; *format != '\0'; format++) {
        int rc = *format == '!' ? take_literal(&c, ++format, 1) : take_part(&c, *format, now, &date);
        if (rc < 0) {
            return rc;
        }
    }
    if (c.p != c.end || !civil_exists(&date)) {
        return -EINVAL;
    }
    struct civil noon = date; /* a leap second at midnight belongs to the day that ends */
    noon.hour = 12;
    civil_from_seconds(civil_to_seconds(&noon), &noon);
    if (noon.weekday != date.weekday) {
        return -EINVAL;
    }
    *out = civil_to_seconds(&date);
    return 0;
}

int http_date_parse(struct slice text, int64_t now, int64_t *out) {
    if (text.n < 24 || text.n > 33) {
        return -EINVAL; /* shortest: asctime; longest: a Wednesday of rfc850 */
    }
    if (parse_as(imf_fixdate, text, now, out) == 0) {
        return 0;
    }
    if (parse_as(rfc850, text, now, out) == 0) {
        return 0;
    }
    return parse_as(asctime_date, text, now, out);
}
