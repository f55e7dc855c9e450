/* SPDX-License-Identifier: Apache-2.0 */
/* escape.h – makes bytes of unknown origin harmless inside a line of a log.
 * Runs in: logger. Distrusts: every byte. Whatever goes in, what comes out is printable ASCII
 * (a tab aside, see escape_text), so it can neither begin a line nor speak to a terminal. */
#ifndef LUTTPD_LOGGER_ESCAPE_H
#define LUTTPD_LOGGER_ESCAPE_H

#include <stdbool.h>

#include "base/slice.h"

#define ESCAPE_QUOTED_ROOM(n) (4 * (n))
#define ESCAPE_JSON_ROOM(n) (6 * (n))
#define ESCAPE_TEXT_ROOM(n) (5 * (n))

/* A record of an error log begins with a digit; what begins with this belongs to the one above. */
#define ESCAPE_CONTINUATION "  | "

/** For combined format: control bytes, 0x7f and above, quote and backslash become \xHH; the space
 * too where word is true. out: at least ESCAPE_QUOTED_ROOM(in.n). Returns the end of what was written. */
char *escape_quoted(char *out, struct slice in, bool word);

/** For a JSON string, without its quotes, in ASCII: well-formed UTF-8 becomes \uHHHH (a surrogate
 * pair above U+FFFF); each byte that is not part of well-formed UTF-8 becomes \u00HH, as if it were
 * Latin-1. out: at least ESCAPE_JSON_ROOM(in.n). Returns the end of what was written. */
char *escape_json(char *out, struct slice in);

/** For an error log: a newline starts a line with ESCAPE_CONTINUATION; newlines at the end of in are
 * left out; a tab stays; other control bytes, 0x7f and above, and backslash become \xHH.
 * out: at least ESCAPE_TEXT_ROOM(in.n). Returns the end of what was written. */
char *escape_text(char *out, struct slice in);

#endif
