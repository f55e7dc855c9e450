/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h – what the admin has said about this listener's requests: limits, trust, and the parsing policy.
 * Runs in: listener. Trusts: the admin who wrote it. Distrusts: the file's form, scripts, each request.
 *
 *   policy_prepare(l)              before the cage closes: maps the script's stack, makes the VM (JIT off)
 *   policy_run(l, serve)           everything after it runs on that stack, the loop included
 *   policy_load(l, fd, epoch, why) at the start, and for each POLICY of master: sets l->policy
 *   policy_hold(l->policy)         with a request's first byte, into request->policy: the parser borrows
 *                                  its limits, and what began under it is judged by it
 *   policy_judge(l, c, &answer)    once the head is complete and whoever sent it is known
 *   policy_drop(l, &r->policy)     when the request is given back
 *
 *   policy_rules.[ch]  the tables, and judging by them (pure)    policy_read.[ch]  records → tables (pure)
 *   policy_script.[ch] hook and grammars                         policy_head.c     what a hook sees
 *
 * A policy without rules costs a request one comparison of its method. Nothing is allocated for a request. */
#ifndef LUTTPD_LISTENER_POLICY_H
#define LUTTPD_LISTENER_POLICY_H

#include "listener/h1.h"
#include "listener/network.h"
#include "listener/response.h"

struct connection;
struct listener;
struct policy_machine; /* the VM and what judging needs room for */
struct policy_rules;
struct policy_script; /* hook and grammars */

#define POLICY_FILE_MAX_BYTES (64u << 20)
#define POLICY_WHY_BYTES (MESSAGE_POLICY_TAKEN_WHY_MAX + 1)
#define POLICY_TAGS_BYTES 2048 /* names and values of all tags of a request */
#define POLICY_TAGS_MAX 16

/** What a client may take. 0 means no limit, but not in h1. */
struct limits {
    struct h1_limits h1;           /* what it says about paths included */
    uint64_t body_bytes;           /* 413 above */
    uint32_t head_ms, idle_ms;     /* for a whole head; between requests */
    uint32_t body_rate, send_rate; /* bytes in a second, on average after ten seconds */
    uint32_t requests;             /* on one connection */
    uint32_t connections;          /* of this process */
    uint32_t address_connections;  /* of one IPv4 address or IPv6 /64 */
};

/** One epoch's policy for this listener. Only what stands before the gap is for others. */
struct policy {
    uint64_t epoch;
    struct limits limits;
    struct network_set proxies;       /* whose Forwarded is believed */
    struct network_set proxy_senders; /* who begins each connection with a PROXY header */

    size_t references;
    struct policy_rules *rules;
    struct policy_script *script; /* NULL without hook and grammars */
};

/** Makes what later needs the outside. Returns 0 or -errno: the listener cannot start. */
int policy_prepare(struct listener *l);

/** Calls fn(l) on the script's stack. Needed before the first policy_load and all that follows. */
void policy_run(struct listener *l, void (*fn)(void *l));

/** Reads a sealed file of policies and makes that of this listener l->policy; the one before lives on
 * until nobody holds it. fd: borrowed. Runs the policy's script, within budgets.
 * Returns 0; else -errno, l->policy as before, and why (a sentence, never empty). */
int policy_load(struct listener *l, int fd, uint64_t epoch, char why[POLICY_WHY_BYTES]);

/** One more who needs it. Returns policy. */
struct policy *policy_hold(struct policy *policy);

/** One who needs it no longer; *policy becomes NULL, and may be it already. */
void policy_drop(struct listener *l, struct policy **policy);

/** Judges the complete head of c->request by c->request->policy.
 * Returns false: go on; fields were removed and tags added (luttpd-NAME, among the end-to-end fields;
 * their text lies in request->tags). Returns true: answer the request with out, whose slices live
 * until the next call. An error in a script is a logged 500. */
bool policy_judge(struct listener *l, struct connection *c, struct own_answer *out);

#endif
