/* SPDX-License-Identifier: Apache-2.0 */
/* http_date.h – dates as HTTP writes them: RFC 9110, section 5.6.7.
 * Runs in: listener, vhost. Distrusts: the text it parses. No locale, no allocation. */
#ifndef LUTTPD_BASE_HTTP_DATE_H
#define LUTTPD_BASE_HTTP_DATE_H

#include <stdint.h>

#include "base/slice.h"

#define HTTP_DATE_BYTES 29 /* Sun, 06 Nov 1994 08:49:37 GMT */

/** Writes exactly HTTP_DATE_BYTES bytes, no NUL. seconds: since the epoch; what lies outside the
 * years 0 to 9999 is shown as the nearest moment inside. Callers that need it often keep the
 * text for as long as the second lasts. */
void http_date_format(char *out, int64_t seconds);

/** Reads IMF-fixdate, rfc850-date or asctime-date, the whole of text and nothing around it.
 * Names are case-sensitive, the weekday must be that of the date, the day must exist.
 * now: seconds since the epoch; a two-digit year more than 50 years ahead of it is in the past.
 * Returns 0 with out set, or -EINVAL with out untouched. */
int http_date_parse(struct slice text, int64_t now, int64_t *out);

#endif
