/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_messages.c – decodes the input as every message that its first byte picks: nothing crashes,
 * and what decodes is exactly what would be encoded. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "channel/record.h"
#include "schema/every_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct any_message *pick(uint8_t number) {
    const struct any_message *any = every_message;
    for (uint8_t i = 0; i < number; i++) {
        any++;
        if (any->name == NULL) {
            return NULL;
        }
    }
    return any;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t again[RECORD_PAYLOAD_MAX];
    const struct any_message *any = size > 0 ? pick(data[0]) : NULL;
    if (any == NULL) {
        return -1;
    }
    void *m = malloc(any->struct_size);
    if (any->decode(m, data + 1, size - 1) == 0) {
        MUST(any->encode(m, again, sizeof again) == size - 1);
        MUST(memcmp(again, data + 1, size - 1) == 0);
    }
    free(m);
    return 0;
}
