/* SPDX-License-Identifier: Apache-2.0 */
/* test_every_message.c – what must hold for each message of messages.lua, whatever it carries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel/record.h"
#include "schema/every_message.h"

#define FILLS 200
#define SMALL_BYTES 512

struct random_source {
    uint64_t state;
    size_t length_max; /* lengths are cut to this */
    char bytes[RECORD_PAYLOAD_MAX];
    char text[RECORD_PAYLOAD_MAX];
};

static uint64_t next(void *context) {
    struct random_source *r = context;
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state;
}

/* Every fourth is empty, every fourth as long as allowed. */
static size_t length(void *context, size_t max) {
    struct random_source *r = context;
    size_t most = max < r->length_max ? max : r->length_max;
    switch (next(r) % 4) {
    case 0:
        return 0;
    case 1:
        return most;
    default:
        return next(r) % (most + 1);
    }
}

static struct slice bytes(void *context, size_t n, bool text) {
    struct random_source *r = context;
    return slice_from(text ? r->text : r->bytes, n);
}

static struct message_source source(struct random_source *r, uint64_t seed, size_t length_max) {
    r->state = seed * 0x9e3779b97f4a7c15u + 1;
    r->length_max = length_max;
    for (size_t i = 0; i < sizeof r->bytes; i++) {
        r->bytes[i] = (char)next(r);
        r->text[i] = (char)(next(r) % 255 + 1);
    }
    return (struct message_source){next, length, bytes, r};
}

/* Decodes from memory of exactly that size, so that the sanitizer sees any byte read too far. */
static int decode(const struct any_message *any, void *out, const uint8_t *payload, size_t size) {
    uint8_t *copy = malloc(size);
    assert_true(copy != NULL || size == 0);
    if (size > 0) {
        memcpy(copy, payload, size);
    }
    int rc = any->decode(out, copy, size);
    free(copy);
    return rc;
}

static void test_encoding_survives_decoding(void **state) {
    static struct random_source r;
    static uint8_t first[RECORD_PAYLOAD_MAX + 1], second[RECORD_PAYLOAD_MAX];
    (void)state;
    for (const struct any_message *any = every_message; any->name != NULL; any++) {
        const struct message_source s = source(&r, any->type, SIZE_MAX - 1);
        void *in = malloc(any->struct_size), *out = malloc(any->struct_size);
        for (int i = 0; i < FILLS; i++) {
            any->fill(in, &s);
            size_t size = any->encode(in, first, sizeof first);
            assert_in_range(size, any->min, any->max);
            assert_int_equal(any->decode(out, first, size), 0);
            memset(second, 0, size);
            assert_int_equal(any->encode(out, second, sizeof second), size);
            assert_memory_equal(first, second, size);
            assert_int_equal(size > 0 ? any->encode(in, first, size - 1) : 0, 0);
            assert_int_equal(any->decode(out, first, size + 1), -EBADMSG);
        }
        free(in);
        free(out);
    }
}

static void test_every_truncation_is_refused(void **state) {
    static struct random_source r;
    static uint8_t payload[RECORD_PAYLOAD_MAX];
    (void)state;
    for (const struct any_message *any = every_message; any->name != NULL; any++) {
        const struct message_source s = source(&r, any->type, SMALL_BYTES / 8);
        void *in = malloc(any->struct_size), *out = malloc(any->struct_size);
        for (int i = 0; i < 4; i++) {
            any->fill(in, &s);
            size_t size = any->encode(in, payload, sizeof payload);
            for (size_t n = 0; n < size; n++) {
                assert_int_equal(decode(any, out, payload, n), -EBADMSG);
            }
        }
        free(in);
        free(out);
    }
}

/* Whatever decodes must be what would have been encoded: there is one form of each message. */
static void test_random_bytes_decode_to_what_they_say_or_not_at_all(void **state) {
    static struct random_source r;
    uint8_t noise[SMALL_BYTES], again[SMALL_BYTES];
    (void)state;
    for (const struct any_message *any = every_message; any->name != NULL; any++) {
        (void)source(&r, any->type, 0);
        void *out = malloc(any->struct_size);
        for (int i = 0; i < 20 * FILLS; i++) {
            size_t size = next(&r) % (i % 2 ? any->min + 8 : sizeof noise);
            size = size < sizeof noise ? size : sizeof noise;
            for (size_t k = 0; k < size; k++) {
                noise[k] = (uint8_t)(next(&r) % (i % 3 ? 4 : 256));
            }
            uint8_t *copy = malloc(size);
            if (size > 0) {
                memcpy(copy, noise, size);
            }
            if (any->decode(out, copy, size) == 0) {
                assert_int_equal(any->encode(out, again, sizeof again), size);
                assert_memory_equal(noise, again, size);
            }
            free(copy);
        }
        free(out);
    }
}

/* Writes the flaw into a payload that is otherwise the smallest one. Returns its size. */
static size_t spoil(const struct any_message *any, const struct message_flaw *flaw, uint8_t *payload,
                    size_t room) {
    static const uint8_t nul_text[] = {1, 0, 0};
    size_t extra = 0;
    memset(payload, 0, room);
    uint8_t *at = payload + flaw->offset;
    switch (flaw->kind) {
    case FLAW_ENUM:
    case FLAW_BOOLEAN:
        *at = (uint8_t)flaw->value;
        break;
    case FLAW_LENGTH:
        memcpy(at, &flaw->value, 2);
        memset(at + 2, 'x', flaw->value);
        extra = flaw->value;
        break;
    case FLAW_NUL:
        memcpy(at, nul_text, sizeof nul_text);
        extra = 1;
        break;
    case FLAW_COUNT:
        memcpy(at, &flaw->value, 2);
        extra = 4 * (size_t)flaw->value;
        break;
    case FLAW_FIELD_LENGTH:
        memcpy(at, &(uint16_t){1}, 2);
        memcpy(at + 2, &(uint16_t){4}, 2);
        memcpy(at + 4, &(uint16_t){(uint16_t)(flaw->value - 4)}, 2);
        extra = 4 + flaw->value;
        break;
    }
    return any->min + extra;
}

static void test_every_flaw_is_refused_and_its_neighbour_is_not(void **state) {
    static uint8_t payload[4 * RECORD_PAYLOAD_MAX];
    (void)state;
    for (const struct any_message *any = every_message; any->name != NULL; any++) {
        void *out = malloc(any->struct_size);
        for (const struct message_flaw *flaw = any->flaws; flaw->field != NULL; flaw++) {
            assert_int_equal(decode(any, out, payload, spoil(any, flaw, payload, sizeof payload)), -EBADMSG);
            if (flaw->kind != FLAW_NUL) {
                struct message_flaw allowed = *flaw;
                allowed.value--;
                assert_int_equal(decode(any, out, payload, spoil(any, &allowed, payload, sizeof payload)), 0);
            }
        }
        free(out);
    }
}

static void test_each_message_has_a_name_and_an_id_of_its_own(void **state) {
    (void)state;
    for (const struct any_message *a = every_message; a->name != NULL; a++) {
        assert_string_equal(message_name(a->type), a->name);
        for (const struct any_message *b = every_message; b < a; b++) {
            assert_int_not_equal(a->type, b->type);
        }
    }
    assert_string_equal(message_name(0), "unknown");
    assert_string_equal(message_name(UINT16_MAX), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoding_survives_decoding),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_random_bytes_decode_to_what_they_say_or_not_at_all),
        cmocka_unit_test(test_every_flaw_is_refused_and_its_neighbour_is_not),
        cmocka_unit_test(test_each_message_has_a_name_and_an_id_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
