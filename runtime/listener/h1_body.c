/* SPDX-License-Identifier: Apache-2.0 */
/* h1_body.c – see h1_body.h. */
#include "listener/h1_body.h"

void h1_body_begin(struct h1_body *b, const struct h1_head *head, const struct h1_limits *limits) {
    *b = (struct h1_body){.kind = head->body, .limits = limits};
    if (b->kind == H1_BODY_CHUNKED)
        h1_chunk_begin(&b->chunks);
    else
        b->left = head->content_length;
}

static enum h1_verdict next_of_length(struct h1_body *b, const char *buf, size_t n, size_t room, size_t *used,
                                      struct slice *data) {
    size_t take = n < room ? n : room;
    if (b->left == 0)
        return H1_DONE;
    if (take > b->left)
        take = (size_t)b->left;
    if (take == 0)
        return H1_MORE;
    *data = slice_from(buf, take);
    *used = take;
    b->left -= take;
    return H1_DATA;
}

enum h1_verdict h1_body_next(struct h1_body *b, const char *buf, size_t n, size_t room, size_t *used,
                             struct slice *data) {
    *used = 0;
    enum h1_verdict v = b->kind == H1_BODY_CHUNKED
                            ? h1_chunk_next(&b->chunks, b->limits, buf, n, room, used, data, &b->refusal)
                            : next_of_length(b, buf, n, room, used, data);
    if (v == H1_DATA)
        b->taken += data->n;
    return v;
}
