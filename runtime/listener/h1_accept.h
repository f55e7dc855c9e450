/* SPDX-License-Identifier: Apache-2.0 */
/* h1_accept.h – which kind of page a client would rather read: RFC 9110 section 12.5.1.
 * Runs in: listener. Distrusts: every byte. */
#ifndef LUTTPD_LISTENER_H1_ACCEPT_H
#define LUTTPD_LISTENER_H1_ACCEPT_H

#include "base/slice.h"

/** Whether a client with this Accept would rather have application/json than text/html: the
 * quality of JSON is higher, or equal where JSON is named and HTML only meant by a wildcard, as
 * many programs say it. In doubt, and where accept is empty or malformed: false. */
bool h1_prefers_json(struct slice accept);

#endif
