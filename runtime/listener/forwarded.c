/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.c – see forwarded.h.
 * Everything is read backwards. Only what stands at the right was written by somebody trusted: read from
 * the left, a stranger's open quote would swallow it, and the stranger would pass for the proxy. Quoted
 * strings can be read backwards without a doubt: the quote that opens one is the nearest that has an even
 * number of backslashes before it, since within a valid one every quote has an odd number. */
#include "listener/forwarded.h"

#include "listener/h1_chars.h"

#define NODE_MAX_BYTES 64 /* "[", an IPv6 address, "]:", a port; unquoted */

/* The lines of one field as one list, from its end. */
struct list {
    const struct field *claims;
    struct slice name;
    size_t left;       /* claims not looked at */
    struct slice rest; /* of the line at hand */
};

/* One element of Forwarded; empty where it does not say. */
struct element {
    struct slice node, proto; /* as they stand, with quotes */
    bool has_node, has_proto, any;
};

static struct list list_of(const struct field *claims, size_t count, struct slice name) {
    return (struct list){claims, name, count, {"", 0}};
}

/* Goes to the line before. Returns whether there is one. */
static bool list_go_on(struct list *l) {
    while (l->left > 0) {
        const struct field *f = &l->claims[--l->left];
        if (slice_equal(f->name, l->name)) {
            l->rest = f->value;
            return true;
        }
    }
    return false;
}

static char last_of(struct slice s) {
    return s.n > 0 ? s.p[s.n - 1] : '\0';
}

static void trim_end(struct slice *s) {
    while (last_of(*s) == ' ' || last_of(*s) == '\t')
        s->n--;
}

/* The next element of a list without quotes, without white space around it; empty ones do not count.
 * Returns false where there is none. */
static bool take_item(struct list *l, struct slice *item) {
    do {
        trim_end(&l->rest);
        while (last_of(l->rest) == ',') {
            l->rest.n--;
            trim_end(&l->rest);
        }
    } while (l->rest.n == 0 && list_go_on(l));
    size_t end = l->rest.n, at = end;
    while (at > 0 && l->rest.p[at - 1] != ',')
        at--;
    l->rest.n = at;
    while (at < end && (l->rest.p[at] == ' ' || l->rest.p[at] == '\t'))
        at++;
    *item = slice_from(l->rest.p + at, end - at);
    return end > at;
}

static bool is_word(struct slice s, const char *word) {
    size_t n = strlen(word);
    if (s.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (h1_token_lower[(uint8_t)s.p[i]] != (uint8_t)word[i])
            return false;
    return true;
}

/* Takes a token from the end; empty where there is none. */
static struct slice take_token(struct slice *rest) {
    size_t end = rest->n;
    while (rest->n > 0 && h1_token_lower[(uint8_t)rest->p[rest->n - 1]] != 0)
        rest->n--;
    return slice_from(rest->p + rest->n, end - rest->n);
}

/* Whether a quote stands there that no backslash takes its meaning. */
static bool is_quote(const char *text, size_t at) {
    size_t slashes = 0;
    while (slashes < at && text[at - 1 - slashes] == '\\')
        slashes++;
    return text[at] == '"' && slashes % 2 == 0;
}

/* Takes a quoted string with its quotes from the end; empty where there is none. */
static struct slice take_quoted(struct slice *rest) {
    size_t end = rest->n, at = end - 1;
    if (is_quote(rest->p, at))
        while (at-- > 0)
            if (rest->p[at] == '"' && is_quote(rest->p, at)) {
                rest->n = at;
                return slice_from(rest->p + at, end - at);
            }
    return slice_from(rest->p, 0);
}

/* Takes name=value from the end. Returns whether it is one, and nothing it names comes twice. */
static bool take_pair(struct slice *rest, struct element *e) {
    struct slice value = last_of(*rest) == '"' ? take_quoted(rest) : take_token(rest);
    if (value.n == 0 || last_of(*rest) != '=')
        return false;
    rest->n--;
    struct slice name = take_token(rest);
    bool node = is_word(name, "for"), proto = is_word(name, "proto");
    if (name.n == 0 || (node && e->has_node) || (proto && e->has_proto))
        return false;
    e->any = true;
    if (node) {
        e->node = value;
        e->has_node = true;
    } else if (proto) {
        e->proto = value;
        e->has_proto = true;
    }
    return true;
}

/* Takes what stands behind the last comma. Returns false where it is malformed. */
static bool take_pairs(struct slice *rest, struct element *e) {
    for (;;) {
        trim_end(rest);
        char last = last_of(*rest);
        if (rest->n == 0)
            return true;
        if (last == ',' || last == ';') {
            rest->n--;
            if (last == ',')
                return true;
        } else if (!take_pair(rest, e)) {
            return false;
        } else {
            trim_end(rest);
            last = last_of(*rest);
            if (rest->n > 0 && last != ',' && last != ';')
                return false;
        }
    }
}

/* The next element of Forwarded; empty ones do not count. Returns false where there is none, or where
 * it is malformed: then nothing further left can be had. */
static bool take_element(struct list *l, struct element *e) {
    *e = (struct element){0};
    while (!e->any) {
        if (l->rest.n == 0 && !list_go_on(l))
            return false;
        if (!take_pairs(&l->rest, e))
            return false;
    }
    return true;
}

/* Takes off quotes and backslashes. Returns the bytes in out, 0 where it is empty or too long. */
static size_t unquote(struct slice s, char out[NODE_MAX_BYTES]) {
    bool quoted = s.n > 1 && s.p[0] == '"';
    size_t end = quoted ? s.n - 1 : s.n, n = 0;
    for (size_t i = quoted; i < end; i++) {
        if (s.p[i] == '\\' && quoted)
            i++;
        if (n == NODE_MAX_BYTES)
            return 0;
        out[n++] = s.p[i];
    }
    return n;
}

/* What stands behind an address: nothing, or a port; hidden: one that begins with "_" will do. */
static bool read_port(struct slice s, bool hidden, uint16_t *port) {
    *port = 0;
    if (s.n == 0)
        return true;
    struct slice digits = slice_from(s.p + 1, s.n - 1);
    if (s.p[0] != ':')
        return false;
    if (hidden && digits.n > 1 && digits.p[0] == '_')
        return take_token(&(struct slice){digits.p, digits.n}).n == digits.n;
    return network_read_port(digits, port);
}

/* Reads an address with an optional port. forwarded: as RFC 7239 section 6 has it; else IPv6 may come
 * without brackets. Touches client on success only, and never its scheme. */
static bool read_node(struct slice node, bool forwarded, struct network_client *client) {
    struct network_client found = *client;
    struct slice address = node, rest = {"", 0};
    bool v6 = node.n > 0 && node.p[0] == '[';
    char stop = v6 ? ']' : ':';
    const char *end = node.n > 0 ? memchr(node.p, stop, node.n) : NULL;
    bool bare =
        !v6 && !forwarded && end != NULL && memchr(end + 1, ':', (size_t)(node.p + node.n - end - 1)) != NULL;
    if (end == NULL && v6)
        return false;
    if (end != NULL && !bare) {
        address = slice_from(node.p + v6, (size_t)(end - node.p) - v6);
        end += v6;
        rest = slice_from(end, (size_t)(node.p + node.n - end));
    }
    bool colons = address.n > 0 && memchr(address.p, ':', address.n) != NULL;
    if (colons != (v6 || bare) || !network_read_address(address, &found) ||
        !read_port(rest, forwarded, &found.port))
        return false;
    *client = found;
    return true;
}

static bool says_https(struct slice proto, bool otherwise) {
    char text[NODE_MAX_BYTES];
    struct slice s = slice_from(text, unquote(proto, text));
    return is_word(s, "https") || (otherwise && !is_word(s, "http"));
}

static void walk_forwarded(const struct network_set *proxies, struct list l, struct network_client *client) {
    struct element e;
    bool own = client->https;
    for (unsigned hops = 0; hops < FORWARDED_HOPS_MAX; hops++) {
        char node[NODE_MAX_BYTES];
        if (!network_set_has(proxies, client->family, client->address) || !take_element(&l, &e))
            return;
        client->https = says_https(e.proto, own);
        if (!read_node(slice_from(node, unquote(e.node, node)), true, client))
            return;
    }
}

static size_t count_items(struct list l) {
    struct slice item;
    size_t n = 0;
    while (take_item(&l, &item))
        n++;
    return n;
}

/* proto: the list of schemes, of which the one at this place from the right is wanted, 1 for the last. */
static void take_scheme(struct list proto, size_t names, size_t place, struct network_client *client) {
    struct slice item = {"", 0};
    size_t count = count_items(proto);
    if (count == 1)
        place = 1;
    else if (count != names)
        return;
    while (place-- > 0)
        if (!take_item(&proto, &item))
            return;
    client->https = says_https(item, client->https);
}

static void walk_x_forwarded(const struct network_set *proxies, struct list names, struct list proto,
                             struct network_client *client) {
    size_t count = count_items(names), hops = 0;
    struct slice item;
    while (hops < FORWARDED_HOPS_MAX && network_set_has(proxies, client->family, client->address) &&
           take_item(&names, &item)) {
        hops++;
        if (!read_node(item, false, client))
            break;
    }
    take_scheme(proto, count, hops, client);
}

static bool same_address(const struct network_client *a, const struct network_client *b) {
    return a->family == b->family && memcmp(a->address, b->address, sizeof a->address) == 0;
}

enum forwarded_verdict forwarded_read(const struct network_set *proxies, const struct field *claims,
                                      size_t count, struct network_client *client) {
    struct network_client by_forwarded = *client, by_names = *client;
    struct list standard = list_of(claims, count, SLICE("forwarded"));
    struct list names = list_of(claims, count, SLICE("x-forwarded-for"));
    struct list proto = list_of(claims, count, SLICE("x-forwarded-proto"));
    struct list look = standard, look_names = names;
    if (!network_set_has(proxies, client->family, client->address))
        return FORWARDED_STRANGER;
    walk_x_forwarded(proxies, names, proto, &by_names);
    if (!list_go_on(&look)) {
        *client = by_names;
        return FORWARDED_TRUSTED;
    }
    walk_forwarded(proxies, standard, &by_forwarded);
    if (list_go_on(&look_names) && !same_address(&by_forwarded, &by_names))
        return FORWARDED_CONFLICT;
    *client = by_forwarded;
    return FORWARDED_TRUSTED;
}
