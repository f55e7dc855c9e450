/* SPDX-License-Identifier: Apache-2.0 */
/* route_table.c – which of a site's routes answers a path and method.
 * Runs in: vhost. Distrusts: the path; patterns are the owner's.
 *
 * A trie by segments. Every node is reached by one pattern prefix only, so a search visits each
 * node at most once: backtracking from a literal to :name to * costs no more than the table's size.
 * Built once while the site loads, never changed while it serves.
 */
#include "vhost/route_table.h"

#include <stdlib.h>

#include "base/must.h"

struct route {
    unsigned methods;
    uint32_t target;
    struct slice names[ROUTE_CAPTURES_MAX]; /* owned */
    size_t name_count;
    struct route *next; /* another route with the same pattern and other methods */
};

struct node {
    struct slice text;      /* the literal, owned; empty for :name nodes */
    struct node **literals; /* sorted by slice_order */
    size_t literal_count;
    struct node *parameter; /* :name */
    struct route *here;     /* patterns that end with this segment */
    struct route *rest;     /* patterns that end with * behind this segment */
};

struct route_table {
    struct node root;
    size_t count;
};

static int slice_order(struct slice a, struct slice b) {
    int rc = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return rc != 0 ? rc : (a.n > b.n) - (a.n < b.n);
}

static struct slice slice_copy(struct slice s) {
    char *p = malloc(s.n + 1);
    if (p == NULL) {
        return (struct slice){NULL, 0};
    }
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return slice_from(p, s.n);
}

static const struct {
    struct slice name;
    unsigned bit;
} method_names[] = {
    {{"GET", 3}, METHOD_GET},         {{"HEAD", 4}, METHOD_HEAD},   {{"POST", 4}, METHOD_POST},
    {{"PUT", 3}, METHOD_PUT},         {{"PATCH", 5}, METHOD_PATCH}, {{"DELETE", 6}, METHOD_DELETE},
    {{"OPTIONS", 7}, METHOD_OPTIONS},
};
#define METHOD_NAMES (sizeof method_names / sizeof *method_names)

unsigned method_from_name(struct slice name) {
    for (size_t i = 0; i < METHOD_NAMES; i++) {
        if (slice_equal(name, method_names[i].name)) {
            return method_names[i].bit;
        }
    }
    return METHOD_OTHER;
}

size_t methods_to_text(unsigned methods, char *out, size_t room) {
    size_t n = 0;
    MUST(room >= METHODS_TEXT_MAX);
    for (size_t i = 0; i < METHOD_NAMES; i++) {
        if ((methods & method_names[i].bit) == 0) {
            continue;
        }
        if (n > 0) {
            out[n++] = ',';
            out[n++] = ' ';
        }
        memcpy(out + n, method_names[i].name.p, method_names[i].name.n);
        n += method_names[i].name.n;
    }
    out[n] = '\0';
    return n;
}

/* Splits off the segment that begins at *at. Returns false where the path has ended. */
static bool next_segment(struct slice path, size_t *at, struct slice *out) {
    if (*at > path.n) {
        return false;
    }
    const char *start = path.p + *at;
    const char *slash = memchr(start, '/', path.n - *at);
    size_t length = slash != NULL ? (size_t)(slash - start) : path.n - *at;
    *out = slice_from(start, length);
    *at += length + 1;
    return true;
}

struct route_table *route_table_new(void) {
    return calloc(1, sizeof(struct route_table));
}

static void free_routes(struct route *r) {
    while (r != NULL) {
        struct route *next = r->next;
        for (size_t i = 0; i < r->name_count; i++) {
            free((char *)r->names[i].p);
        }
        free(r);
        r = next;
    }
}

static void free_node_content(struct node *n) {
    for (size_t i = 0; i < n->literal_count; i++) {
        free_node_content(n->literals[i]);
        free(n->literals[i]);
    }
    if (n->parameter != NULL) {
        free_node_content(n->parameter);
        free(n->parameter);
    }
    free(n->literals);
    free((char *)n->text.p);
    free_routes(n->here);
    free_routes(n->rest);
}

void route_table_free(struct route_table *t) {
    if (t != NULL) {
        free_node_content(&t->root);
        free(t);
    }
}

/* Where text stands among the literals, or would. Returns whether it is there. */
static bool find_literal(const struct node *n, struct slice text, size_t *at) {
    size_t low = 0, high = n->literal_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_order(n->literals[middle]->text, text);
        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *at = low;
    return false;
}

static struct node *make_literal(struct node *n, struct slice text) {
    size_t at;
    if (find_literal(n, text, &at)) {
        MUST(n->literals != NULL);
        return n->literals[at];
    }
    struct node **grown = realloc(n->literals, (n->literal_count + 1) * sizeof *grown);
    struct node *child = calloc(1, sizeof *child);
    if (grown == NULL || child == NULL || (child->text = slice_copy(text)).p == NULL) {
        n->literals = grown != NULL ? grown : n->literals;
        free(child);
        return NULL;
    }
    n->literals = grown;
    memmove(grown + at + 1, grown + at, (n->literal_count - at) * sizeof *grown);
    grown[at] = child;
    n->literal_count++;
    return child;
}

static struct node *make_parameter(struct node *n) {
    if (n->parameter == NULL) {
        n->parameter = calloc(1, sizeof *n->parameter);
    }
    return n->parameter;
}

/* ":name" follows the rule of identifiers, so that req.params.name can be written. */
static bool is_name(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return s.n > 0;
}

static const char out_of_memory[] = "there is no memory left for it";

static const char *add_name(struct route *r, struct slice name) {
    if (r->name_count == ROUTE_CAPTURES_MAX) {
        return "it has more than 16 variable parts";
    }
    for (size_t i = 0; i < r->name_count; i++) {
        if (slice_equal(r->names[i], name)) {
            return "it uses one name twice";
        }
    }
    r->names[r->name_count] = slice_copy(name);
    return r->names[r->name_count].p == NULL ? out_of_memory : (r->name_count++, NULL);
}

/* One step down the trie. Sets *list where the pattern ends here with a *. */
static const char *descend(struct route *r, struct node **n, struct slice segment, bool last,
                           struct route ***list) {
    if (slice_equal(segment, SLICE("*"))) {
        if (!last) {
            return "* may only be its last segment";
        }
        *list = &(*n)->rest;
        return add_name(r, segment);
    }
    if (segment.n > 0 && segment.p[0] == ':') {
        struct slice name = slice_from(segment.p + 1, segment.n - 1);
        if (!is_name(name)) {
            return "a name after : is made of letters, digits and _";
        }
        *n = make_parameter(*n);
        return *n == NULL ? out_of_memory : add_name(r, name);
    }
    if (memchr(segment.p, '*', segment.n) != NULL) {
        return "* must be a segment of its own, as in /old/*";
    }
    *n = make_literal(*n, segment);
    return *n == NULL ? out_of_memory : NULL;
}

static const char *check_pattern(const struct route_table *t, struct slice pattern) {
    if (pattern.n == 0 || pattern.p[0] != '/') {
        return "it must begin with /";
    }
    if (pattern.n > 8192 || memchr(pattern.p, '\0', pattern.n) != NULL) {
        return "it is longer than a path may be, or holds a NUL";
    }
    return t->count == ROUTES_MAX ? "a site may have 4096 routes" : NULL;
}

/* Finds the list that a route with this pattern joins, filling in its names. */
static const char *place(struct route_table *t, struct slice pattern, struct route *r, struct route ***list) {
    struct node *n = &t->root;
    struct slice segment;
    size_t at = 1, segments = 0;

    *list = NULL;
    while (next_segment(pattern, &at, &segment)) {
        if (segments++ == ROUTE_SEGMENTS_MAX) {
            return "it has more than 32 segments";
        }
        const char *wrong = descend(r, &n, segment, at > pattern.n, list);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (*list == NULL) {
        *list = &n->here;
    }
    return NULL;
}

const char *route_table_add(struct route_table *t, struct slice pattern, unsigned methods, uint32_t target,
                            uint32_t *rival) {
    struct route **list;
    MUST(methods != 0);
    const char *wrong = check_pattern(t, pattern);
    if (wrong != NULL) {
        return wrong;
    }
    struct route *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return out_of_memory;
    }
    wrong = place(t, pattern, r, &list);
    for (const struct route *other = wrong == NULL ? *list : NULL; other != NULL; other = other->next) {
        if ((other->methods & methods) != 0) {
            *rival = other->target;
            wrong = "another route has the same pattern";
        }
    }
    if (wrong != NULL) {
        free_routes(r);
        return wrong;
    }
    r->methods = methods;
    r->target = target;
    r->next = *list;
    *list = r;
    t->count++;
    return NULL;
}

/* A search under way. Captures are kept as offsets; the route that is found names them. */
struct search {
    struct slice path;
    unsigned method;
    struct route_match *out;
    size_t captures;
};

static bool choose(struct search *s, const struct route *list) {
    for (const struct route *r = list; r != NULL; r = r->next) {
        s->out->allowed |= r->methods;
        if ((r->methods & s->method) == 0) {
            continue;
        }
        MUST(r->name_count == s->captures);
        for (size_t i = 0; i < s->captures; i++) {
            s->out->captures[i].name = r->names[i];
        }
        s->out->capture_count = s->captures;
        s->out->target = r->target;
        return true;
    }
    return false;
}

static void capture(struct search *s, size_t start, size_t length) {
    struct route_capture *c = &s->out->captures[s->captures++];
    c->start = (uint16_t)start;
    c->length = (uint16_t)length;
}

/* at: where the next segment begins, beyond the path's end + 1 where none is left.
 * Depth is that of the trie: at most ROUTE_SEGMENTS_MAX. */
static bool search_node(struct search *s, const struct node *n, size_t at) {
    struct slice segment;
    size_t next = at, i;

    if (!next_segment(s->path, &next, &segment)) {
        return choose(s, n->here);
    }
    if (find_literal(n, segment, &i) && search_node(s, n->literals[i], next)) {
        return true;
    }
    if (n->parameter != NULL && segment.n > 0) {
        capture(s, at, segment.n);
        if (search_node(s, n->parameter, next)) {
            return true;
        }
        s->captures--;
    }
    if (n->rest == NULL) {
        return false;
    }
    capture(s, at, s->path.n - at);
    bool found = choose(s, n->rest);
    s->captures--;
    return found;
}

enum route_verdict route_table_find(const struct route_table *t, struct slice path, unsigned method,
                                    struct route_match *out) {
    struct search s = {.path = path, .method = method, .out = out};
    out->allowed = 0;
    out->capture_count = 0;
    if (path.n == 0 || path.p[0] != '/' || path.n > UINT16_MAX) {
        return ROUTE_NOT_FOUND;
    }
    if (search_node(&s, &t->root, 1)) {
        return ROUTE_FOUND;
    }
    return out->allowed != 0 ? ROUTE_WRONG_METHOD : ROUTE_NOT_FOUND;
}
