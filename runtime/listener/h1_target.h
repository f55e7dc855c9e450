/* SPDX-License-Identifier: Apache-2.0 */
/* h1_target.h – the forms of a request-target (RFC 9112 section 3.2) and the canonical path.
 * Runs in: listener. Distrusts: every byte. h1_head calls these; others rarely need to. */
#ifndef LUTTPD_LISTENER_H1_TARGET_H
#define LUTTPD_LISTENER_H1_TARGET_H

#include "listener/h1_head.h"

/** Takes the request-target at raw apart. buf: borrowed; the host of an absolute form is
 * lower-cased in place. Fills out and returns status 0, or returns the refusal. */
struct h1_refusal h1_target_split(char *buf, struct h1_span method, struct h1_span raw,
                                  const struct h1_limits *limits, struct h1_target *out);

/** The one form of a path that routing, policy, scripts and files see: percent-decoded once, dot
 * segments removed, runs of slashes merged. raw: begins with "/", at most H1_TARGET_MAX_BYTES.
 * out: room for raw.n bytes, must not overlap raw; path points into it afterwards.
 * Refuses what would leave the root, control bytes, backslashes, broken escapes; an encoded slash,
 * or, where limits keep it as "%2F", whatever else would be decoded to that text, so that
 * two different paths never look the same; and bad UTF-8 where limits say so. */
struct h1_refusal h1_path_canonical(struct slice raw, const struct h1_limits *limits, char *out,
                                    struct slice *path);

/** Whether text is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool h1_path_is_utf8(struct slice text);

#endif
