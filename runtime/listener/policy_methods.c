/* SPDX-License-Identifier: Apache-2.0 */
/* policy_methods.c – which methods a policy lets through. Runs in: listener.
 * RFC 9110 section 15.5.6: a method that is known but not allowed is 405, with what is; one that nobody
 * knows is 501, section 15.6.2. */
#include "listener/policy_rules.h"

const struct slice policy_default_allow = {"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", 44};

/* The registry of RFC 9110 section 16.1.1, but for PRI, which is no method of HTTP/1.1. */
static const char *const registered[] = {
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
};

static bool is_registered(struct slice method) {
    for (size_t i = 0; i < sizeof registered / sizeof *registered; i++) {
        if (slice_equal(method, slice_text(registered[i]))) {
            return true;
        }
    }
    return false;
}

unsigned policy_rules_method(const struct policy_rules *r, struct slice method) {
    if (r->methods_count == 0) {
        bool refused = slice_equal(method, SLICE("CONNECT")) || slice_equal(method, SLICE("TRACE"));
        return refused ? 405 : 0;
    }
    for (size_t i = 0; i < r->methods_count; i++) {
        if (slice_equal(method, r->methods[i])) {
            return 0;
        }
    }
    return is_registered(method) ? 405 : 501;
}
