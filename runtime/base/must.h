/* SPDX-License-Identifier: Apache-2.0 */
/* must.h – assertions that stay in release builds.
 * Runs in: every process. For our own mistakes only; a peer's mistake is an error code. */
#ifndef LUTTPD_BASE_MUST_H
#define LUTTPD_BASE_MUST_H

/** Says which condition failed and where, through report(), then aborts. */
_Noreturn void must_fail(const char *condition, const char *file, int line);

#define MUST(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

#endif
