/* SPDX-License-Identifier: Apache-2.0 */
/* bind.h – listening sockets: one for each listener process, kept by master for its successors.
 * Runs in: master. */
#ifndef LUTTPD_MASTER_BIND_H
#define LUTTPD_MASTER_BIND_H

#include "master/master.h"

#define BIND_BACKLOG 4096
#define BIND_TEXT_BYTES 128

/** Binds every socket of the plan. Port 0 takes a free one. Returns 0, or
 * -errno, reported: EADDRINUSE where anyone listens there, another luttpd included. */
int bind_all(struct master *m);

/** Writes the address as a client would: http://1.2.3.4:80, http://[::1]:80, unix:/path. */
void bind_text(const struct message_plan_listen *l, uint16_t port, char out[BIND_TEXT_BYTES]);

#endif
