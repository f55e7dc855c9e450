/* SPDX-License-Identifier: Apache-2.0 */
/* h1_accept.c – see h1_accept.h. A member that is malformed counts as if it were not there. */
#include "listener/h1_accept.h"
#include "listener/h1_chars.h"
#include "listener/h1_list.h"

/* How well a media type is liked, by its most specific range. */
struct liking {
    unsigned precise; /* 0: no range fits, 1: any type, 2: any of the kind, 3: it is named */
    int quality;      /* in thousandths */
};

/* "0" to "1" with at most three decimals: section 12.4.2. Returns thousandths, -1 if malformed. */
static int quality(struct slice s) {
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1'))
        return -1;
    if (s.n > 1 && s.p[1] != '.')
        return -1;
    int value = (s.p[0] - '0') * 1000;
    for (size_t i = 2, unit = 100; i < s.n; i++, unit /= 10) {
        if (!(h1_chars[(uint8_t)s.p[i]] & H1_CHAR_DIGIT))
            return -1;
        value += (s.p[i] - '0') * (int)unit;
    }
    return value <= 1000 ? value : -1;
}

static unsigned fits(struct slice range, struct slice type, struct slice kind) {
    return h1_list_is(range, type)           ? 3
           : h1_list_is(range, kind)         ? 2
           : h1_list_is(range, SLICE("*/*")) ? 1
                                             : 0;
}

static void consider(struct liking *l, unsigned precise, int thousandths) {
    if (precise > l->precise || (precise > 0 && precise == l->precise && thousandths > l->quality))
        *l = (struct liking){precise, thousandths};
}

bool h1_prefers_json(struct slice accept) {
    struct liking json = {0, 0}, html = {0, 0};
    struct slice member, range, parameter;
    while (h1_list_next(&accept, ',', &member)) {
        int q = 1000;
        (void)h1_list_next(&member, ';', &range);
        while (q >= 0 && h1_list_next(&member, ';', &parameter))
            if (parameter.n >= 2 && h1_list_is(slice_from(parameter.p, 2), SLICE("q=")))
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
