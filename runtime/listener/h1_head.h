/* SPDX-License-Identifier: Apache-2.0 */
/* h1_head.h – the head of a request: RFC 9112 sections 2, 3 and 5, as strict as a server may be.
 * Runs in: listener. Distrusts: every byte.
 *
 *   struct h1_parser p;                        a kilobyte, needed only while a head is arriving
 *   h1_head_begin(&p, &limits);
 *   h1_head_parse(&p, buffer, bytes_so_far);   again whenever bytes were added, until not H1_MORE
 *   h1_head_read(&p, buffer, path, fields, &head);   once, after H1_DONE
 *
 * The parser keeps offsets, so the buffer may move and grow between calls; what it has seen must
 * stay as the parser left it (it lower-cases field names and hosts in place). However the bytes
 * were split over the calls, the outcome is the same. */
#ifndef LUTTPD_LISTENER_H1_HEAD_H
#define LUTTPD_LISTENER_H1_HEAD_H

#include "listener/h1.h"

/** A piece of the buffer, as offset from its begin. */
struct h1_span {
    uint16_t at, n; /* bytes */
};

enum h1_form { H1_FORM_ORIGIN, H1_FORM_ABSOLUTE, H1_FORM_ASTERISK };

/** The parts of a request-target; see h1_target.h. */
struct h1_target {
    enum h1_form form;
    bool https;               /* absolute form with that scheme */
    bool plain;               /* path is canonical as it stands */
    struct h1_span authority; /* of the absolute form, else empty */
    struct h1_span path;      /* empty where the absolute form has none */
    struct h1_span query;     /* without the question mark */
};

/** Private to the codec, except: refusal, preface, consumed. */
struct h1_parser {
    const struct h1_limits *limits; /* borrowed */
    uint32_t at, mark;              /* next byte to look at; first byte of what is being looked at */
    uint32_t consumed; /* after H1_DONE: bytes of the head; what follows is body or next request */
    uint8_t state;
    uint8_t version; /* enum h1_version, once the request line is complete */
    uint8_t body;    /* enum h1_body_kind */
    uint8_t options; /* connection options seen so far */
    bool preface;    /* refused because this is HTTP/2 with prior knowledge */
    bool close, keep_alive, names_fields, expect_continue, transfer_encoding;
    uint8_t fields_count;
    uint8_t host; /* index of the Host field plus one */
    uint64_t content_length;
    uint64_t hidden[2];        /* bit per field: hop-by-hop, or in the server's own name */
    uint64_t claims[2];        /* bit per field: what proxies say */
    struct h1_refusal refusal; /* after H1_REFUSED */
    struct h1_span method, raw;
    struct h1_target target;
    struct {
        struct h1_span name, value;
    } fields[H1_FIELDS_MAX];
};

/** A complete, valid request head. Slices point into the buffer or into path_room. */
struct h1_head {
    enum h1_version version;
    enum h1_form form;
    bool https;              /* absolute form says https: 421 where this listener is not */
    bool keep_alive;         /* the client would go on after the response */
    bool expect_continue;    /* it waits for 100 before it sends the body; never set without one */
    enum h1_body_kind body;  /* NONE, LENGTH or CHUNKED */
    uint64_t content_length; /* 0 for NONE, H1_LENGTH_UNKNOWN for CHUNKED */
    struct slice method;     /* as sent: methods are case-sensitive */
    struct slice target;     /* as sent, for the log */
    struct slice authority;  /* lower case, with port where sent; empty only on HTTP/1.0 without Host */
    struct slice host;       /* authority without port and without a trailing dot; [..] kept */
    struct slice path;       /* canonical, begins with "/"; "/" for the asterisk form */
    struct slice raw_path;   /* as sent; empty where equal to path; "*" for the asterisk form */
    struct slice query;      /* as sent, without the question mark */
    bool path_utf8;          /* path is well-formed UTF-8 */
    struct field *fields;    /* the caller's array, each of three groups in order */
    size_t end_to_end;       /* how many the vhost may see: the first so many */
    size_t claims;           /* how many follow by which proxies speak: forwarded, x-forwarded-*, x-real-ip */
    size_t fields_count;     /* all; the rest are hop-by-hop, or luttpd-*, which no client may send */
};

/** Starts on a new head. limits: borrowed until the head is done. */
void h1_head_begin(struct h1_parser *p, const struct h1_limits *limits);

/** Goes on parsing. buf: borrowed and changed in place; n: all bytes so far, from the begin of the
 * head, at least as many as last time. Returns H1_MORE, H1_DONE (see consumed) or H1_REFUSED (see
 * refusal). After the last two it must not be called again before h1_head_begin. */
enum h1_verdict h1_head_parse(struct h1_parser *p, char *buf, size_t n);

/** Hands out a done head. buf: as at the last parse, borrowed as long as out is used.
 * path_room: H1_TARGET_MAX_BYTES, borrowed likewise. fields: room for H1_FIELDS_MAX.
 * The value of a Host field is the authority, also where the absolute form overruled it. */
void h1_head_read(const struct h1_parser *p, char *buf, char *path_room, struct field *fields,
                  struct h1_head *out);

/** What is known of the request line, for the log, at any time: empty where not complete. */
void h1_head_seen(const struct h1_parser *p, const char *buf, struct slice *method, struct slice *target);

#endif
