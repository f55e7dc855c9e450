/* SPDX-License-Identifier: Apache-2.0 */
/* h1_list.h – the lists of RFC 9110 section 5.6.1, and words that are compared without case.
 * Runs in: listener. Distrusts: every byte. */
#ifndef LUTTPD_LISTENER_H1_LIST_H
#define LUTTPD_LISTENER_H1_LIST_H

#include <strings.h>

#include "base/slice.h"

/** Whether s is word, whatever the case of letters. */
static inline bool h1_list_is(struct slice s, struct slice word) {
    return s.n == word.n && (s.n == 0 || strncasecmp(s.p, word.p, word.n) == 0);
}

/** s without the spaces and tabs around it. */
static inline struct slice h1_list_trim(struct slice s) {
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/** Takes the next member off list, trimmed; it may be empty. separator: between members.
 * Returns false at the end; list.p is NULL then. */
static inline bool h1_list_next(struct slice *list, char separator, struct slice *member) {
    if (list->p == NULL)
        return false;
    const char *stop = list->n > 0 ? memchr(list->p, separator, list->n) : NULL;
    size_t n = stop ? (size_t)(stop - list->p) : list->n;
    *member = h1_list_trim(slice_from(list->p, n));
    *list = stop ? slice_from(stop + 1, list->n - n - 1) : slice_from(NULL, 0);
    return true;
}

#endif
