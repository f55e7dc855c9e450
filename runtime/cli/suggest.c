/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.c – what somebody may have meant. Runs in: the command. */
#include <string.h>

#include "cli/cli.h"

#define WORD_MAX 32

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment: edits, and swaps of neighbours. */
size_t cli_distance(const char *a, const char *b) {
    size_t rows[3][WORD_MAX + 1];
    size_t an = strnlen(a, WORD_MAX), bn = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= bn; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= an; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], earlier[j - 2] + 1);
            }
        }
    }
    return rows[an % 3][bn];
}

const struct cli_command *cli_find(const char *name) {
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

const struct cli_command *cli_suggest(const char *word) {
    const struct cli_command *best = NULL;
    size_t nearest = 3; /* further away is no misspelling */
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        size_t distance = cli_distance(word, c->name);
        if (distance < nearest && distance < strlen(c->name)) {
            nearest = distance;
            best = c;
        }
    }
    return best;
}
