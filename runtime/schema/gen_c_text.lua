-- SPDX-License-Identifier: Apache-2.0
-- gen_c_text.lua: the C text that gen_c.lua fills in. $word, letters only, is replaced by a value.

local M = {}

M.header_top = [[
/* Generated from runtime/schema/messages.lua: do not edit. docs/MESSAGES.md is the readable form. */
#ifndef LUTTPD_SCHEMA_MESSAGES_H
#define LUTTPD_SCHEMA_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct packet;
struct record_builder;
struct ring_writer;

#define LENGTH_UNKNOWN UINT64_MAX

/* In which phase of its life the sender is; where master sends, the child. */
enum phase { PHASE_STARTING, PHASE_SERVING };

]]

M.header_common = [[
/** "OPEN" for MESSAGE_OPEN; "unknown" for a number that is no message. Never NULL. */
const char *message_name(uint16_t type);

/* For each message NAME, none of them blocking:
 *   message_name_size    bytes of payload of m, which must be within its maxima
 *   message_name_encode  writes the payload; returns its bytes, or 0 where it does not fit room, or m
 *                        breaks a maximum or a range, or a text holds a NUL
 *   message_name_write   the same with the record header before it
 *   message_name_decode  0, or -EBADMSG with out undefined. Slices point into payload (borrowed)
 *   message_name_put     into a ring: 0; -EAGAIN full; -EBADMSG the reader's index is impossible;
 *                        -EMSGSIZE where encode would return 0. Not published yet
 *   message_name_send    on a socket with exactly the declared descriptors (borrowed; NULL for none):
 *                        as packet_send, or -EMSGSIZE
 *   message_name_append  to a record file: 0, -ENOMEM, -EMSGSIZE
 * Of fields, names and values are bytes: the receiver checks what HTTP allows in them. */

]]

M.message_declaration = [[
/* $doc
 * from $from to $to via $via, when $when, descriptors: $fds */
$constants
struct message_$lower {
$members};
size_t message_$lower_size(const struct message_$lower *m);
size_t message_$lower_encode(const struct message_$lower *m, void *payload, size_t room);
size_t message_$lower_write(const struct message_$lower *m, void *frame, size_t room);
int message_$lower_decode(struct message_$lower *out, const uint8_t *payload, size_t size);
]]

M.sender_declaration = {
    send = "int message_$lower_send(int socket, const struct message_$lower *m, const int *fds);\n",
    put = "int message_$lower_put(struct ring_writer *w, const struct message_$lower *m);\n",
    append = "int message_$lower_append(struct record_builder *b, const struct message_$lower *m);\n",
}

M.source_top = [[
/* Generated from runtime/schema/messages.lua: do not edit. */
#include "schema/messages.h"

#include <errno.h>
#include <string.h>

#include "channel/packet.h"
#include "channel/record_file.h"
#include "channel/ring.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little-endian");
_Static_assert(PACKET_PAYLOAD_MAX == $packet, "vocabulary.lua and packet.h agree");
_Static_assert(PACKET_FDS_MAX == $fds, "vocabulary.lua and packet.h agree");
_Static_assert(RECORD_PAYLOAD_MAX == $record, "vocabulary.lua and record.h agree");
_Static_assert(RECORD_HEADER_BYTES == $header, "vocabulary.lua and record.h agree");
]]

M.helper_integer = [[
static inline uint8_t *pack_$kind(uint8_t *at, $ctype value) {
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

/* The caller has checked that enough is left. */
static inline $ctype take_$kind(struct cursor *c) {
    $ctype value;
    memcpy(&value, c->at, sizeof value);
    c->at += sizeof value;
    c->left -= sizeof value;
    return value;
}

]]

M.helpers_always = [[
/* What of a payload has not been decoded. */
struct cursor {
    const uint8_t *at;
    size_t left;
};

]] .. M.helper_integer:gsub("%$kind", "u16"):gsub("%$ctype", "uint16_t") .. [[
static inline uint8_t *pack_raw(uint8_t *at, struct slice s) {
    if (s.n > 0) {
        memcpy(at, s.p, s.n);
    }
    return at + s.n;
}

static inline uint8_t *pack_bytes(uint8_t *at, struct slice s) {
    return pack_raw(pack_u16(at, (uint16_t)s.n), s);
}

static inline bool take_raw(struct cursor *c, struct slice *out, size_t n) {
    if (c->left < n) {
        return false;
    }
    *out = slice_from((const char *)c->at, n);
    c->at += n;
    c->left -= n;
    return true;
}

static inline bool take_bytes(struct cursor *c, struct slice *out, size_t max) {
    if (c->left < sizeof(uint16_t)) {
        return false;
    }
    size_t n = take_u16(c);
    return n <= max && take_raw(c, out, n);
}

static inline void pack_header(uint8_t *at, uint16_t type, size_t size) {
    const struct record_header header = {.size = (uint32_t)size, .type = type};
    memcpy(at, &header, sizeof header);
}

]]

M.helpers_text = [[
static inline bool text_fits(struct slice s, size_t max) {
    return s.n <= max && (s.n == 0 || memchr(s.p, 0, s.n) == NULL);
}

static inline bool take_text(struct cursor *c, struct slice *out, size_t max) {
    return take_bytes(c, out, max) && memchr(out->p, 0, out->n) == NULL;
}

]]

M.helpers_fields = [[
static size_t fields_size(const struct field *fields, size_t count) {
    size_t size = 2 * sizeof(uint16_t) * count;
    for (size_t i = 0; i < count; i++) {
        size += fields[i].name.n + fields[i].value.n;
    }
    return size;
}

static bool fields_fit(const struct field *fields, size_t count, size_t count_max, size_t bytes_max) {
    if (count > count_max) {
        return false;
    }
    size_t room = bytes_max;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name.n > room || fields[i].value.n > room - fields[i].name.n) {
            return false;
        }
        room -= fields[i].name.n + fields[i].value.n;
    }
    return true;
}

static uint8_t *pack_fields(uint8_t *at, const struct field *fields, size_t count) {
    at = pack_u16(at, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        at = pack_u16(at, (uint16_t)fields[i].name.n);
        at = pack_u16(at, (uint16_t)fields[i].value.n);
        at = pack_raw(pack_raw(at, fields[i].name), fields[i].value);
    }
    return at;
}

static bool take_fields(struct cursor *c, struct field *out, size_t *out_count, size_t count_max,
                        size_t bytes_max) {
    if (c->left < sizeof(uint16_t)) {
        return false;
    }
    size_t count = take_u16(c), room = bytes_max;
    if (count > count_max) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (c->left < 2 * sizeof(uint16_t)) {
            return false;
        }
        size_t name = take_u16(c), value = take_u16(c);
        if (name + value > room || !take_raw(c, &out[i].name, name) || !take_raw(c, &out[i].value, value)) {
            return false;
        }
        room -= name + value;
    }
    *out_count = count;
    return true;
}

]]

M.enum_definition = [[
const char *$name_name(enum $name value) {
    static const char *const names[] = {$list};
    return (unsigned)value < $upper_COUNT ? names[value] : "unknown";
}

]]

M.message_name_definition = [[
const char *message_name(uint16_t type) {
    switch (type) {
$cases    default:
        return "unknown";
    }
}

]]

M.message_definition = [[
/* $name */

static inline bool $lower_is_valid(const struct message_$lower *m) {
$unusedvalid    return $valid;
}

static inline uint8_t *pack_$lower(uint8_t *at, const struct message_$lower *m) {
$unusedpack$packs    return at;
}

size_t message_$lower_size(const struct message_$lower *m) {
$unusedsize    return $size;
}

size_t message_$lower_encode(const struct message_$lower *m, void *payload, size_t room) {
    if (!$lower_is_valid(m)) {
        return 0;
    }
    size_t size = message_$lower_size(m);
    if (size > room) {
        return 0;
    }
    pack_$lower(payload, m);
    return size;
}

size_t message_$lower_write(const struct message_$lower *m, void *frame, size_t room) {
    if (!$lower_is_valid(m)) {
        return 0;
    }
    size_t size = message_$lower_size(m);
    if (room < RECORD_HEADER_BYTES || size > room - RECORD_HEADER_BYTES) {
        return 0;
    }
    uint8_t *at = frame;
    pack_header(at, MESSAGE_$name, size);
    pack_$lower(at + RECORD_HEADER_BYTES, m);
    return RECORD_HEADER_BYTES + size;
}

int message_$lower_decode(struct message_$lower *out, const uint8_t *payload, size_t size) {
    struct cursor c = {payload, size};
$takes    return c.left == 0 ? 0 : -EBADMSG;
}

]]

M.sender_definition = {
    send = [[
int message_$lower_send(int socket, const struct message_$lower *m, const int *fds) {
    uint8_t frame[RECORD_HEADER_BYTES + MESSAGE_$name_MAX];
    size_t bytes = message_$lower_write(m, frame, sizeof frame);
    if (bytes == 0) {
        return -EMSGSIZE;
    }
    return packet_send(socket, frame, bytes, fds, $fds);
}

]],
    put = [[
int message_$lower_put(struct ring_writer *w, const struct message_$lower *m) {
    if (!$lower_is_valid(m)) {
        return -EMSGSIZE;
    }
    size_t size = message_$lower_size(m);
    uint8_t *payload = ring_reserve(w, (uint32_t)size);
    if (payload == NULL) {
        return errno == EBADMSG ? -EBADMSG : -EAGAIN;
    }
    pack_$lower(payload, m);
    ring_commit(w, MESSAGE_$name, (uint32_t)size);
    return 0;
}

]],
    append = [[
int message_$lower_append(struct record_builder *b, const struct message_$lower *m) {
    if (!$lower_is_valid(m)) {
        return -EMSGSIZE;
    }
    size_t bytes = RECORD_HEADER_BYTES + message_$lower_size(m);
    uint8_t *frame = record_builder_reserve(b, bytes);
    if (frame == NULL) {
        return -ENOMEM;
    }
    pack_header(frame, MESSAGE_$name, bytes - RECORD_HEADER_BYTES);
    pack_$lower(frame + RECORD_HEADER_BYTES, m);
    record_builder_commit(b, bytes);
    return 0;
}

]],
}

return M
