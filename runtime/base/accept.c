/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c – see accept.h. A member that is malformed counts as if it were not there. */
#include "base/accept.h"

#include <strings.h>

/* How well a media type is liked, by its most specific range. */
struct liking {
    unsigned precise; /* 0: no range fits, 1: any type, 2: any of the kind, 3: it is named */
    int quality;      /* in thousandths */
};

static bool is(struct slice s, struct slice word) {
    return s.n == word.n && (s.n == 0 || strncasecmp(s.p, word.p, word.n) == 0);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/* Takes the next member off a list, without the white space around it; it may be empty. Returns false
 * at the end; list->p is NULL then. */
static bool take_member(struct slice *list, char separator, struct slice *member) {
    if (list->p == NULL)
        return false;
    const char *stop = list->n > 0 ? memchr(list->p, separator, list->n) : NULL;
    size_t n = stop != NULL ? (size_t)(stop - list->p) : list->n;
    *member = slice_from(list->p, n);
    *list = stop != NULL ? slice_from(stop + 1, list->n - n - 1) : slice_from(NULL, 0);
    while (member->n > 0 && is_space(member->p[0])) {
        member->p++;
        member->n--;
    }
    while (member->n > 0 && is_space(member->p[member->n - 1]))
        member->n--;
    return true;
}

/* "0" to "1" with at most three decimals: section 12.4.2. Returns thousandths, -1 if malformed. */
static int quality(struct slice s) {
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1'))
        return -1;
    if (s.n > 1 && s.p[1] != '.')
        return -1;
    int value = (s.p[0] - '0') * 1000;
    for (size_t i = 2, unit = 100; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        value += (s.p[i] - '0') * (int)unit;
    }
    return value <= 1000 ? value : -1;
}

static unsigned fits(struct slice range, struct slice type, struct slice kind) {
    return is(range, type) ? 3 : is(range, kind) ? 2 : is(range, SLICE("*/*")) ? 1 : 0;
}

static void consider(struct liking *l, unsigned precise, int thousandths) {
    if (precise > l->precise || (precise > 0 && precise == l->precise && thousandths > l->quality))
        *l = (struct liking){precise, thousandths};
}

bool accept_prefers_json(struct slice accept) {
    struct liking json = {0, 0}, html = {0, 0};
    struct slice member, range, parameter;
    while (take_member(&accept, ',', &member)) {
        int q = 1000;
        (void)take_member(&member, ';', &range);
        while (q >= 0 && take_member(&member, ';', &parameter))
            if (parameter.n >= 2 && is(slice_from(parameter.p, 2), SLICE("q=")))
                q = quality(slice_from(parameter.p + 2, parameter.n - 2));
        if (q < 0)
            continue;
        consider(&json, fits(range, SLICE("application/json"), SLICE("application/*")), q);
        consider(&html, fits(range, SLICE("text/html"), SLICE("text/*")), q);
    }
    if (json.quality == html.quality)
        return json.quality > 0 && json.precise == 3 && html.precise < 3;
    return json.quality > html.quality;
}
