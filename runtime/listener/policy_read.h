/* SPDX-License-Identifier: Apache-2.0 */
/* policy_read.h – from the records of a policies file to one listener's policy.
 * Runs in: listener. Pure but for allocation. Distrusts: every byte, although config wrote them: order,
 * numbers, statuses and bounds are checked here again, so that judging need not. */
#ifndef LUTTPD_LISTENER_POLICY_READ_H
#define LUTTPD_LISTENER_POLICY_READ_H

#include "listener/policy.h"
#include "listener/policy_rules.h"

/** The script that comes with a policy. */
struct policy_text {
    char *p; /* owned: free(); NULL where there is no script */
    size_t n;
    char file[MESSAGE_POLICY_TEXT_FILE_MAX + 1];
};

/** Reads the policy of one listen statement, and passes over all others.
 * bytes: borrowed during the call. Returns 0 with out set (rules among it, script NULL; free with
 * policy_read_free) and text, which the caller owns; else -EBADMSG or -ENOMEM, and why. */
int policy_read(const uint8_t *bytes, size_t size, uint16_t listen, struct policy **out,
                struct policy_text *text, char why[POLICY_WHY_BYTES]);

/** Frees a policy that has no script. NULL is fine. */
void policy_read_free(struct policy *policy);

#endif
