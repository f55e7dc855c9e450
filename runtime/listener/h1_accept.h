/* SPDX-License-Identifier: Apache-2.0 */
/* h1_accept.h – which kind of page a client would rather read: RFC 9110 section 12.5.1.
 * Runs in: listener. Distrusts: every byte. */
#ifndef LUTTPD_LISTENER_H1_ACCEPT_H
#define LUTTPD_LISTENER_H1_ACCEPT_H

#include "base/accept.h"

/** Vhosts answer by the same rule: see base/accept.h. */
static inline bool h1_prefers_json(struct slice accept) {
    return accept_prefers_json(accept);
}

#endif
