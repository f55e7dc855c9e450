/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_head.c – any bytes as a request head. Split anywhere they give the same outcome, and what
 * is accepted is what the grammar allows, looked at a second time and in a simpler way.
 * The first two bytes: small limits or the usual ones, which paths, and where to split. */
#include <stdlib.h>

#include "base/must.h"
#include "h1_render.h"
#include "listener/h1_chars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits small = {.head_bytes = 96, .target_bytes = 12, .method_bytes = 5, .fields = 3};

static bool is_claim(struct slice name) {
    static const char *const prefix = "x-forwarded-";
    return slice_equal(name, SLICE("forwarded")) || slice_equal(name, SLICE("x-real-ip")) ||
           (name.n >= strlen(prefix) && memcmp(name.p, prefix, strlen(prefix)) == 0);
}

static bool is_ours(struct slice name) {
    return name.n >= 7 && memcmp(name.p, "luttpd", 6) == 0 && (name.p[6] == '-' || name.p[6] == '_');
}

static void *fresh(const void *bytes, size_t n) {
    char *block = malloc(n > 0 ? n : 1); /* its own block: reading past it is seen */
    MUST(block != NULL);
    if (n > 0)
        memcpy(block, bytes, n);
    return block;
}

static bool has(struct slice s, const char *text) {
    return s.n > 0 && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

static void check_fields(const struct h1_head *h) {
    unsigned hosts = 0, lengths = 0, codings = 0;
    for (size_t i = 0; i < h->fields_count; i++) {
        const struct field *f = &h->fields[i];
        MUST(f->name.n > 0);
        for (size_t k = 0; k < f->name.n; k++)
            MUST(h1_token_lower[(uint8_t)f->name.p[k]] == (uint8_t)f->name.p[k]);
        for (size_t k = 0; k < f->value.n; k++)
            MUST(((uint8_t)f->value.p[k] >= 0x20 && f->value.p[k] != 0x7f) || f->value.p[k] == '\t');
        MUST(f->value.n == 0 || (f->value.p[0] != ' ' && f->value.p[f->value.n - 1] != ' '));
        bool host = slice_equal(f->name, SLICE("host"));
        MUST(!host || slice_equal(f->value, h->authority));
        hosts += host;
        lengths += slice_equal(f->name, SLICE("content-length"));
        bool coding = slice_equal(f->name, SLICE("transfer-encoding"));
        codings += coding;
        MUST(i >= h->end_to_end || (!coding && !slice_equal(f->name, SLICE("connection"))));
        MUST(is_claim(f->name) == (i >= h->end_to_end && i < h->end_to_end + h->claims));
        MUST(!is_ours(f->name) || i >= h->end_to_end + h->claims);
        MUST(!slice_equal(f->name, SLICE("content_length")));
    }
    MUST(hosts == 1 || (hosts == 0 && h->version == H1_VERSION_10));
    MUST(lengths + codings <= 1);
    MUST((h->body == H1_BODY_CHUNKED) == (codings == 1));
    MUST((h->body == H1_BODY_LENGTH) == (lengths == 1 && h->content_length > 0));
}

static void check_head(const struct h1_parser *p, char *buf, size_t n) {
    char room[H1_TARGET_MAX_BYTES];
    struct field fields[H1_FIELDS_MAX];
    struct h1_head h;
    MUST(p->consumed >= strlen("G / HTTP/1.0\r\n\r\n") && p->consumed <= n &&
         p->consumed <= p->limits->head_bytes);
    for (size_t i = 0; i < p->consumed; i++) {
        MUST(buf[i] != '\0');
        MUST(buf[i] != '\r' || (i + 1 < p->consumed && buf[i + 1] == '\n'));
        MUST(buf[i] != '\n' || (i > 0 && buf[i - 1] == '\r'));
    }
    MUST(memcmp(buf + p->consumed - 4, "\r\n\r\n", 4) == 0);
    h1_head_read(p, buf, room, fields, &h);
    MUST(h.path.n > 0 && h.path.p[0] == '/' && h.method.n > 0);
    MUST(!has(h.path, "//") && !has(h.path, "/../") && !has(h.path, "/./"));
    MUST(h.authority.n > 0 || h.version == H1_VERSION_10);
    MUST(h.host.n <= h.authority.n && h.end_to_end + h.claims <= h.fields_count);
    MUST(!p->limits->refuse_bad_utf8 || h.path_utf8);
    MUST(h.body == H1_BODY_NONE || !slice_equal(h.method, SLICE("TRACE")));
    MUST(!slice_equal(h.method, SLICE("CONNECT")));
    check_fields(&h);
}

/* Bytes not yet given are there, but different: looking ahead would change the outcome.
 * step: at a time; 0: any number, seed says which. */
static enum h1_verdict feed(struct h1_parser *p, char *buf, const uint8_t *bytes, size_t n, size_t step,
                            unsigned seed) {
    enum h1_verdict v = H1_MORE;
    memset(buf, 'x', n);
    for (size_t have = 0; v == H1_MORE && have < n;) {
        seed = seed * 1103515245u + 12345u;
        size_t more = step > 0 ? step : 1 + (seed >> 16) % 40u;
        more = more < n - have ? more : n - have;
        memcpy(buf + have, bytes + have, more);
        have += more;
        v = h1_head_parse(p, buf, have);
    }
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char whole[H1_RENDER_MAX_BYTES], part[H1_RENDER_MAX_BYTES];
    if (size < 3)
        return 0;
    struct h1_limits chosen = data[0] & 1 ? small : h1_default_limits;
    const struct h1_limits *limits = &chosen;
    chosen.refuse_bad_utf8 = data[0] & 2;
    chosen.keep_encoded_slash = data[0] & 4;
    size_t steps[] = {1, 1 + data[1] % 61u, 0};
    unsigned seed = data[1];
    data += 2;
    size -= 2;
    struct h1_parser p;
    h1_head_begin(&p, limits);
    char *buf = fresh(data, size);
    enum h1_verdict v = h1_head_parse(&p, buf, size);
    if (v == H1_DONE)
        check_head(&p, buf, size);
    else if (v == H1_REFUSED)
        MUST(p.refusal.status >= 400 && p.refusal.status < 600 && p.refusal.reason);
    h1_render(whole, &p, v, buf);
    for (size_t i = 0; i < 3; i++) {
        h1_head_begin(&p, limits);
        v = feed(&p, buf, data, size, steps[i], seed);
        h1_render(part, &p, v, buf);
        MUST(strcmp(whole, part) == 0);
    }
    free(buf);
    return 0;
}
