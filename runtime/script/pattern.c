/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c – a backtracking matcher for Lua patterns with a step budget.
 * Runs in: every process that hosts Lua. Distrusts: text and pattern.
 *
 *   follow()    walks items as long as there is no choice
 *   greedy(), lazy(), maybe()   try the rest of the pattern from several places
 *
 * Faults in a pattern are found where matching meets them, as in LuaJIT, not before. */
#include "script/pattern.h"

#include <lauxlib.h>
#include <string.h>

#include "script/state.h"

#define SLICE_STEPS 16384 /* between two looks at whether the entry is being ended */

static const char *follow(struct pattern *m, const char *at, const char *p);

/* A slice of steps is used up: look whether there may be another. */
static void next_slice(struct pattern *m) {
    script_give_way(m->L);
    if (m->steps_left <= 0) {
        luaL_error(m->L, "pattern too complex");
    }
    m->slice += SLICE_STEPS;
    m->steps_left -= SLICE_STEPS;
}

static inline void spend(struct pattern *m, int64_t steps) {
    m->slice -= steps;
    while (__builtin_expect(m->slice < 0, 0)) {
        next_slice(m);
    }
}

/* What each byte is, in ASCII whatever the locale. */
enum { ALPHA = 1, LOWER = 2, UPPER = 4, DIGIT = 8, HEX = 16, SPACE = 32, CONTROL = 64, VISIBLE = 128 };

static const uint8_t kinds[256] = {
    [0 ... 8] = CONTROL,
    ['\t' ... '\r'] = CONTROL | SPACE,
    [14 ... 31] = CONTROL,
    [' '] = SPACE,
    ['!' ... '/'] = VISIBLE,
    ['0' ... '9'] = VISIBLE | DIGIT | HEX,
    [':' ... '@'] = VISIBLE,
    ['A' ... 'F'] = VISIBLE | ALPHA | UPPER | HEX,
    ['G' ... 'Z'] = VISIBLE | ALPHA | UPPER,
    ['[' ... '`'] = VISIBLE,
    ['a' ... 'f'] = VISIBLE | ALPHA | LOWER | HEX,
    ['g' ... 'z'] = VISIBLE | ALPHA | LOWER,
    ['{' ... '~'] = VISIBLE,
    [127] = CONTROL,
};

/* The kinds of byte that each class letter, in lower case, holds. p and z are made otherwise. */
static const uint8_t class_kinds[256] = {
    ['a'] = ALPHA, ['c'] = CONTROL, ['d'] = DIGIT,         ['g'] = VISIBLE, ['l'] = LOWER,   ['p'] = VISIBLE,
    ['s'] = SPACE, ['u'] = UPPER,   ['w'] = ALPHA | DIGIT, ['x'] = HEX,     ['z'] = CONTROL,
};

static bool is_digit(int c) {
    return (kinds[c] & DIGIT) != 0;
}

/* Whether c belongs to the class that %letter names; letters without a class name themselves. */
static bool class_holds(int c, int letter) {
    int lower = letter | 0x20;
    if (class_kinds[lower] == 0 || (kinds[letter] & ALPHA) == 0) {
        return letter == c;
    }
    bool holds = (kinds[c] & class_kinds[lower]) != 0;
    if (lower == 'p') {
        holds = holds && (kinds[c] & (ALPHA | DIGIT)) == 0;
    } else if (lower == 'z') {
        holds = c == 0;
    }
    return holds == (letter == lower);
}

/* Where the set that begins at p (the bracket) ends, behind its closing bracket. */
static const char *set_end(struct pattern *m, const char *p) {
    p++;
    if (p < m->end && *p == '^') {
        p++;
    }
    for (bool first = true; first || p >= m->end || *p != ']'; first = false) {
        if (p >= m->end) {
            luaL_error(m->L, "malformed pattern (missing ']')");
        }
        if (*p++ == '%') {
            if (p >= m->end) {
                luaL_error(m->L, "malformed pattern (missing ']')");
            }
            p++;
        }
    }
    return p + 1;
}

/* Where the item that begins at p ends, its repetition not counted. */
static const char *item_end(struct pattern *m, const char *p) {
    if (*p == '[') {
        return set_end(m, p);
    }
    if (*p != '%') {
        return p + 1;
    }
    if (p + 1 >= m->end) {
        luaL_error(m->L, "malformed pattern (ends with '%%')");
    }
    return p + 2;
}

/* Whether c is in the set from p (the bracket) to end (behind the closing bracket). */
static bool set_holds(int c, const char *p, const char *end) {
    const char *last = end - 1;
    bool found = true;
    p++;
    if (*p == '^') {
        found = false;
        p++;
    }
    while (p < last) {
        if (*p == '%') {
            if (class_holds(c, (unsigned char)p[1])) {
                return found;
            }
            p += 2;
        } else if (p + 2 < last && p[1] == '-') {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) {
                return found;
            }
            p += 3;
        } else {
            if ((unsigned char)*p == c) {
                return found;
            }
            p++;
        }
    }
    return !found;
}

static bool item_holds(int c, const char *p, const char *end) {
    switch (*p) {
    case '.':
        return true;
    case '%':
        return class_holds(c, (unsigned char)p[1]);
    case '[':
        return set_holds(c, p, end);
    default:
        return (unsigned char)*p == c;
    }
}

static bool holds_here(const struct pattern *m, const char *at, const char *p, const char *end) {
    return at < m->text_end && item_holds((unsigned char)*at, p, end);
}

/* As many as possible, then fewer until the rest fits too. */
static const char *greedy(struct pattern *m, const char *at, const char *p, const char *end) {
    const char *far = at;
    while (holds_here(m, far, p, end)) {
        far++;
    }
    spend(m, far - at);
    for (; far >= at; far--) {
        const char *got = follow(m, far, end + 1);
        if (got != NULL) {
            return got;
        }
    }
    return NULL;
}

/* As few as possible, then more until the rest fits too. */
static const char *lazy(struct pattern *m, const char *at, const char *p, const char *end) {
    for (;;) {
        const char *got = follow(m, at, end + 1);
        if (got != NULL || !holds_here(m, at, p, end)) {
            return got;
        }
        at++;
    }
}

static const char *open_capture(struct pattern *m, const char *at, const char *p, ptrdiff_t size) {
    if (m->captures >= PATTERN_CAPTURES_MAX) {
        luaL_error(m->L, "too many captures");
    }
    m->capture[m->captures++] = (struct pattern_capture){at, size};
    const char *got = follow(m, at, p);
    if (got == NULL) {
        m->captures--;
    }
    return got;
}

static const char *close_capture(struct pattern *m, const char *at, const char *p) {
    int i = m->captures - 1;
    while (i >= 0 && m->capture[i].size != PATTERN_CAPTURE_OPEN) {
        i--;
    }
    if (i < 0) {
        luaL_error(m->L, "invalid pattern capture");
    }
    m->capture[i].size = at - m->capture[i].start;
    const char *got = follow(m, at, p);
    if (got == NULL) {
        m->capture[i].size = PATTERN_CAPTURE_OPEN;
    }
    return got;
}

/* %b: from an opening byte to the closing one that balances it. p: behind the b. */
static const char *balanced(struct pattern *m, const char *at, const char *p) {
    if (m->end - p < 2) {
        luaL_error(m->L, "unbalanced pattern");
    }
    if (at >= m->text_end || *at != p[0]) {
        return NULL;
    }
    int level = 1;
    const char *start = at;
    for (at++; at < m->text_end; at++) {
        if (*at == p[1]) {
            if (--level == 0) {
                spend(m, at - start);
                return at + 1;
            }
        } else if (*at == p[0]) {
            level++;
        }
    }
    spend(m, at - start);
    return NULL;
}

/* %f: the place between a byte that is not in the set and one that is. set: the bracket. */
static bool at_frontier(const struct pattern *m, const char *at, const char *set, const char *end) {
    int before = at == m->text ? 0 : (unsigned char)at[-1];
    int here = at < m->text_end ? (unsigned char)*at : 0;
    return !set_holds(before, set, end) && set_holds(here, set, end);
}

/* %1 to %9: the same text again. */
static const char *repeated(struct pattern *m, const char *at, int digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->captures || m->capture[i].size == PATTERN_CAPTURE_OPEN) {
        luaL_error(m->L, "invalid capture index");
    }
    ptrdiff_t size = m->capture[i].size;
    if (size < 0 || m->text_end - at < size) {
        return NULL;
    }
    spend(m, size);
    return memcmp(m->capture[i].start, at, (size_t)size) == 0 ? at + size : NULL;
}

/* The items that begin with % and are more than a class: returns where they leave off in the text
 * with p moved behind them, or NULL; other is set where it is a class after all. */
static const char *special(struct pattern *m, const char *at, const char **p, bool *other) {
    unsigned char kind = m->end - *p > 1 ? (unsigned char)(*p)[1] : '\0';
    if (kind == 'b') {
        const char *got = balanced(m, at, *p + 2);
        *p += 4;
        return got;
    }
    if (kind == 'f') {
        const char *set = *p + 2;
        if (set >= m->end || *set != '[') {
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        }
        const char *end = set_end(m, set);
        *p = end;
        return at_frontier(m, at, set, end) ? at : NULL;
    }
    if (is_digit(kind)) {
        const char *got = repeated(m, at, kind);
        *p += 2;
        return got;
    }
    *other = true;
    return at;
}

/* One item and its repetition. Returns true where done holds the answer for the whole rest; false
 * where at and p have moved on. */
static bool step(struct pattern *m, const char **at, const char **p, const char **done) {
    const char *end = item_end(m, *p);
    char repetition = end < m->end ? *end : '\0';
    if (repetition == '*') {
        *done = greedy(m, *at, *p, end);
        return true;
    }
    if (repetition == '-') {
        *done = lazy(m, *at, *p, end);
        return true;
    }
    bool holds = holds_here(m, *at, *p, end);
    if (repetition == '+') {
        *done = holds ? greedy(m, *at + 1, *p, end) : NULL;
        return true;
    }
    if (repetition == '?') {
        *done = holds ? follow(m, *at + 1, end + 1) : NULL;
        *p = end + 1;
        return *done != NULL;
    }
    *done = NULL;
    *at += holds;
    *p = end;
    return !holds;
}

static const char *walk(struct pattern *m, const char *at, const char *p) {
    while (p < m->end) {
        const char *done;
        spend(m, 1);
        if (*p == '(') {
            bool position = m->end - p > 1 && p[1] == ')';
            return position ? open_capture(m, at, p + 2, PATTERN_CAPTURE_POSITION)
                            : open_capture(m, at, p + 1, PATTERN_CAPTURE_OPEN);
        }
        if (*p == ')') {
            return close_capture(m, at, p + 1);
        }
        if (*p == '$' && p + 1 == m->end) {
            return at == m->text_end ? at : NULL;
        }
        bool plain = *p != '%';
        if (!plain) {
            at = special(m, at, &p, &plain);
            if (at == NULL) {
                return NULL;
            }
        }
        if (plain && step(m, &at, &p, &done)) {
            return done;
        }
    }
    return at;
}

static const char *follow(struct pattern *m, const char *at, const char *p) {
    if (++m->depth > PATTERN_DEPTH_MAX) {
        luaL_error(m->L, "pattern too complex");
    }
    spend(m, 1);
    const char *got = walk(m, at, p);
    m->depth--;
    return got;
}

void pattern_init(struct pattern *m, lua_State *L, const char *text, size_t text_bytes, const char *pattern,
                  size_t pattern_bytes, bool anchor) {
    m->L = L;
    m->text = text;
    m->text_end = text + text_bytes;
    m->anchored = anchor && pattern_bytes > 0 && *pattern == '^';
    m->begin = pattern + m->anchored;
    m->end = pattern + strnlen(pattern, pattern_bytes); /* a NUL ends it; %z stands for one */
    m->steps_left = PATTERN_STEPS + (int64_t)text_bytes * PATTERN_STEPS_PER_BYTE;
    m->slice = SLICE_STEPS;
    m->depth = 0;
    m->captures = 0;
}

const char *pattern_match(struct pattern *m, const char *at) {
    m->captures = 0;
    m->depth = 0;
    return follow(m, at, m->begin);
}

const char *pattern_search(struct pattern *m, const char *from, const char **start) {
    for (const char *at = from; at <= m->text_end; at++) {
        const char *end = pattern_match(m, at);
        if (end != NULL) {
            *start = at;
            return end;
        }
        if (m->anchored) {
            break;
        }
    }
    return NULL;
}

void pattern_push_capture(struct pattern *m, int number, const char *start, const char *end) {
    if (number >= m->captures) {
        if (number != 0) {
            luaL_error(m->L, "invalid capture index");
        }
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    const struct pattern_capture *c = &m->capture[number];
    if (c->size == PATTERN_CAPTURE_OPEN) {
        luaL_error(m->L, "unfinished capture");
    }
    if (c->size == PATTERN_CAPTURE_POSITION) {
        lua_pushinteger(m->L, c->start - m->text + 1);
        return;
    }
    lua_pushlstring(m->L, c->start, (size_t)c->size);
}

int pattern_push_captures(struct pattern *m, const char *start, const char *end) {
    int count = m->captures == 0 && start != NULL ? 1 : m->captures;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        pattern_push_capture(m, i, start, end);
    }
    return count;
}

bool pattern_is_plain(const char *pattern, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL) {
            return false;
        }
    }
    return true;
}
