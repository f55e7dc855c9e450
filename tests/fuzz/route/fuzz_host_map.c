/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_host_map.c – any bytes as a route map: refused, or a map whose answers agree with each other.
 * The first byte says how much of the rest is the host that is asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "route/host_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct host_map *map, struct slice host) {
    uint64_t vhost = 0;
    bool found = host_map_find(map, host, &vhost);
    if (found) {
        MUST(host_map_allows(map, host, vhost));
        MUST(host_map_vhost_index(map, vhost) >= 0);
    }
    for (size_t i = 0; i < host_map_vhost_count(map); i++) {
        uint64_t id = host_map_vhost_at(map, i)->id;
        MUST(host_map_vhost_index(map, id) == (long)i);
        MUST(host_map_allows(map, host, id) == (found && id == vhost));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct host_map *map;
    if (size == 0) {
        return 0;
    }
    size_t host = data[0] < size - 1 ? data[0] : size - 1;
    size_t bytes = size - 1 - host;
    uint8_t *file = malloc(bytes + 1); /* its own block: reading past it is seen */
    MUST(file != NULL);
    memcpy(file, data + 1 + host, bytes);
    file = realloc(file, bytes > 0 ? bytes : 1);
    if (host_map_new(file, bytes, &map) == 0) {
        ask(map, slice_from((const char *)data + 1, host));
        host_map_free(map);
    }
    free(file);
    return 0;
}
