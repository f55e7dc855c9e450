/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.c – see crowd.h. Open addressing with linear probing, at most half full; an entry that goes makes its
 * followers move up, so that nothing is left behind. */
#include "listener/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "schema/messages.h"

int crowd_init(struct crowd *crowd, const struct siphash_key *key, size_t addresses) {
    size_t size = 16;
    while (size / 2 < addresses) {
        size *= 2;
    }
    *crowd = (struct crowd){.key = *key, .mask = size - 1};
    crowd->entries = calloc(size, sizeof *crowd->entries);
    return crowd->entries != NULL ? 0 : -ENOMEM;
}

void crowd_deinit(struct crowd *crowd) {
    free(crowd->entries);
    crowd->entries = NULL;
}

static struct crowd_entry name_of(uint8_t family, const uint8_t *address) {
    struct crowd_entry e = {.family = family};
    memcpy(&e.network, address, family == FAMILY_INET ? 4 : 8);
    return e;
}

static size_t home_of(const struct crowd *crowd, const struct crowd_entry *e) {
    uint64_t words[2] = {e->network, e->family};
    return siphash(&crowd->key, words, sizeof words) & crowd->mask;
}

/* Where it stands, or the free place where it would. */
static size_t find(const struct crowd *crowd, const struct crowd_entry *name) {
    size_t at = home_of(crowd, name);
    for (const struct crowd_entry *e = &crowd->entries[at]; e->count > 0; e = &crowd->entries[at]) {
        if (e->network == name->network && e->family == name->family) {
            break;
        }
        at = (at + 1) & crowd->mask;
    }
    return at;
}

bool crowd_enter(struct crowd *crowd, uint8_t family, const uint8_t *address, uint32_t most) {
    struct crowd_entry name = name_of(family, address);
    struct crowd_entry *e = &crowd->entries[find(crowd, &name)];
    if (e->count == 0) {
        if (crowd->used > crowd->mask / 2) {
            return false;
        }
        *e = name;
        crowd->used++;
    } else if (most > 0 && e->count >= most) {
        return false;
    }
    e->count++;
    return true;
}

/* Moves up whoever stands behind this free place and may stand in it. */
static void close_gap(struct crowd *crowd, size_t gap) {
    for (size_t at = (gap + 1) & crowd->mask; crowd->entries[at].count > 0; at = (at + 1) & crowd->mask) {
        size_t home = home_of(crowd, &crowd->entries[at]);
        if (((at - home) & crowd->mask) >= ((at - gap) & crowd->mask)) {
            crowd->entries[gap] = crowd->entries[at];
            crowd->entries[at].count = 0;
            gap = at;
        }
    }
}

void crowd_leave(struct crowd *crowd, uint8_t family, const uint8_t *address) {
    struct crowd_entry name = name_of(family, address);
    size_t at = find(crowd, &name);
    MUST(crowd->entries[at].count > 0);
    if (--crowd->entries[at].count == 0) {
        crowd->used--;
        close_gap(crowd, at);
    }
}

uint32_t crowd_count(const struct crowd *crowd, uint8_t family, const uint8_t *address) {
    struct crowd_entry name = name_of(family, address);
    return crowd->entries[find(crowd, &name)].count;
}
