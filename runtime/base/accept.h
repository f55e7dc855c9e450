/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h – which kind of page a client would rather read: RFC 9110 section 12.5.1.
 * Runs in: listener, vhost. Distrusts: every byte. */
#ifndef LUTTPD_BASE_ACCEPT_H
#define LUTTPD_BASE_ACCEPT_H

#include "base/slice.h"

/** Whether a client with this Accept would rather have application/json than text/html: the
 * quality of JSON is higher, or equal where JSON is named and HTML only meant by a wildcard, as
 * many programs say it. In doubt, and where accept is empty or malformed: false. */
bool accept_prefers_json(struct slice accept);

#endif
