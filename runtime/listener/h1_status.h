/* SPDX-License-Identifier: Apache-2.0 */
/* h1_status.h – the one table of status codes and their reason phrases.
 * Runs in: listener. */
#ifndef LUTTPD_LISTENER_H1_STATUS_H
#define LUTTPD_LISTENER_H1_STATUS_H

#include "listener/h1.h"

/** The reason phrase of RFC 9110 and its registry; "Unknown" for a status that is in no table. */
struct slice h1_status_reason(unsigned status);

#endif
