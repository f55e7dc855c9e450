/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h – Lua patterns, matched within a budget.
 * Runs in: every process that hosts Lua. Distrusts: text and pattern.
 * Gives what LuaJIT's own string functions give, but stops: a pattern such as "a-b" takes them time
 * that grows with the square of the text, and nothing can interrupt them. */
#ifndef LUTTPD_SCRIPT_PATTERN_H
#define LUTTPD_SCRIPT_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_CAPTURES_MAX 32
#define PATTERN_DEPTH_MAX 200                /* nested items that may have to be tried again */
#define PATTERN_STEPS 4000000                /* of one search, and as many again */
#define PATTERN_STEPS_PER_BYTE 100           /* for each byte of the text */
#define PATTERN_CAPTURE_OPEN ((ptrdiff_t)-1) /* sizes that stand for something else */
#define PATTERN_CAPTURE_POSITION ((ptrdiff_t)-2)

struct pattern_capture {
    const char *start;
    ptrdiff_t size;
};

struct pattern {
    lua_State *L;                /* where errors are raised */
    const char *text, *text_end; /* borrowed */
    const char *begin, *end;     /* the pattern itself, borrowed */
    bool anchored;               /* it began with ^, which is not part of begin */
    int64_t slice;               /* steps until the next look at the deadline */
    int64_t steps_left;          /* behind that */
    int depth;
    int captures;
    struct pattern_capture capture[PATTERN_CAPTURES_MAX];
};

/** Prepares searches of text. anchor: a leading ^ means the start. Nothing is checked yet. */
void pattern_init(struct pattern *m, lua_State *L, const char *text, size_t text_bytes, const char *pattern,
                  size_t pattern_bytes, bool anchor);

/** Matches at exactly this place. Returns the end of the match, or NULL. Raises a Lua error for a
 * malformed pattern, one that is too complex, or when the entry is being ended. */
const char *pattern_match(struct pattern *m, const char *at);

/** Searches from here on. Returns the end of the first match with start set, or NULL. Raises. */
const char *pattern_search(struct pattern *m, const char *from, const char **start);

/** Pushes the capture of that number; the whole match where the pattern has none and number is 0. */
void pattern_push_capture(struct pattern *m, int number, const char *start, const char *end);

/** Pushes all captures, or the whole match where there is none and start is not NULL. Returns how many. */
int pattern_push_captures(struct pattern *m, const char *start, const char *end);

/** Whether the text holds no character with a meaning in patterns. */
bool pattern_is_plain(const char *pattern, size_t bytes);

#endif
