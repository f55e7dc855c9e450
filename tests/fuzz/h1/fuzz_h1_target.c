/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_target.c – any bytes as a request-target, and as a path. A canonical path, escaped again
 * and read again, is the same path; it never has what routing must not see.
 * The first byte chooses the method and which paths are taken. */
#include <stdlib.h>

#include "base/must.h"
#include "listener/h1_authority.h"
#include "listener/h1_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(struct slice s, const char *text) {
    return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

static bool ends(struct slice s, const char *text) {
    size_t n = strlen(text);
    return s.n >= n && memcmp(s.p + s.n - n, text, n) == 0;
}

/* The path again, every byte escaped but slashes, and slashes that were encoded and kept. */
static void check_again(struct slice path, const struct h1_limits *limits) {
    char *raw = malloc(path.n * 3), *out = malloc(path.n * 3);
    struct slice again;
    size_t n = 0;
    MUST(raw && out);
    for (size_t i = 0; i < path.n; i++) {
        static const char hex[] = "0123456789abcdef";
        uint8_t c = (uint8_t)path.p[i];
        if (c == '/') {
            raw[n++] = '/';
        } else if (limits->keep_encoded_slash && path.n - i >= 3 && memcmp(path.p + i, "%2F", 3) == 0) {
            memcpy(raw + n, "%2F", 3);
            n += 3;
            i += 2;
        } else {
            raw[n++] = '%';
            raw[n++] = hex[c >> 4];
            raw[n++] = hex[c & 15];
        }
    }
    MUST(h1_path_canonical(slice_from(raw, n), limits, out, &again).status == 0);
    MUST(slice_equal(path, again));
    free(raw);
    free(out);
}

static void check_path(struct slice raw, bool plain, const struct h1_limits *limits) {
    char *out = malloc(raw.n);
    struct slice path;
    MUST(out);
    struct h1_refusal r = h1_path_canonical(raw, limits, out, &path);
    MUST(r.status == 0 || (r.status == 400 && !plain));
    if (r.status == 0) {
        MUST(path.n > 0 && path.n <= raw.n && path.p[0] == '/');
        MUST(!has(path, "//") && !has(path, "/./") && !has(path, "/../"));
        MUST(!ends(path, "/.") && !ends(path, "/.."));
        for (size_t i = 0; i < path.n; i++)
            MUST((uint8_t)path.p[i] >= 0x20 && path.p[i] != 0x7f && path.p[i] != '\\');
        MUST(!plain || slice_equal(path, raw));
        MUST(!limits->keep_encoded_slash || !has(path, "%2f"));
        MUST(!limits->refuse_bad_utf8 || h1_path_is_utf8(path));
        check_again(path, limits);
    }
    free(out);
}

static void check_split(const uint8_t *data, size_t size, const char *method,
                        const struct h1_limits *limits) {
    size_t n = strlen(method);
    char *buf = malloc(n + size);
    MUST(buf);
    memcpy(buf, method, n);
    memcpy(buf + n, data, size);
    struct h1_target t;
    struct h1_refusal r = h1_target_split(buf, (struct h1_span){0, (uint16_t)n},
                                          (struct h1_span){(uint16_t)n, (uint16_t)size}, limits, &t);
    if (r.status == 0) {
        struct slice authority = slice_from(buf + t.authority.at, t.authority.n);
        struct slice path = slice_from(buf + t.path.at, t.path.n);
        MUST(t.form != H1_FORM_ORIGIN || (t.authority.n == 0 && path.p[0] == '/'));
        if (authority.n > 0) {
            MUST(h1_authority_take(buf + t.authority.at, t.authority.n));
            struct slice host = h1_authority_host(authority);
            MUST(host.n > 0 && host.n <= H1_HOST_MAX_BYTES);
        }
        if (path.n > 0 && path.p[0] == '/')
            check_path(path, t.plain, limits);
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const methods[] = {"GET", "OPTIONS", "CONNECT", "TRACE"};
    if (size < 2 || size > H1_TARGET_MAX_BYTES)
        return 0;
    struct h1_limits limits = h1_default_limits;
    limits.keep_encoded_slash = data[0] & 4;
    limits.refuse_bad_utf8 = data[0] & 8;
    check_split(data + 1, size - 1, methods[data[0] % 4], &limits);
    if (data[1] == '/')
        check_path(slice_from((const char *)data + 1, size - 1), false, &limits);
    return 0;
}
