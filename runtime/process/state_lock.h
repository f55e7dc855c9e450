/* SPDX-License-Identifier: Apache-2.0 */
/* state_lock.h – the file "lock" in the state directory: who holds a record lock on it is the server.
 * Runs in: master, which writes it; the command, which reads it. It holds the server's pid, for people,
 * and how its reloads went, for luttpd reload:
 *
 *   0000001234\n
 *   reload 0000000002 0000000001 good   \n      the second has begun, the first has ended well */
#ifndef LUTTPD_PROCESS_STATE_LOCK_H
#define LUTTPD_PROCESS_STATE_LOCK_H

#include <stdio.h>
#include <unistd.h>

#define STATE_LOCK_PID_BYTES 11
#define STATE_LOCK_RELOAD_BYTES 37

enum state_reload {
    STATE_RELOAD_NONE,
    STATE_RELOAD_GOOD,
    STATE_RELOAD_PARTLY,  /* some listener keeps the old policies */
    STATE_RELOAD_FAULTS,  /* the configuration has mistakes */
    STATE_RELOAD_RESTART, /* it changes what only a restart can */
    STATE_RELOAD_FAILED
};

/** Seven letters each. */
static inline const char *state_reload_name(enum state_reload how) {
    static const char *const names[] = {"none   ", "good   ", "partly ", "faults ", "restart", "failed "};
    return names[how];
}

/** Notes how reloads go. lock: borrowed. What cannot be written is missed by nobody but a waiting command. */
static inline void state_lock_write_reload(int lock, unsigned begun, unsigned ended, enum state_reload how) {
    char text[STATE_LOCK_RELOAD_BYTES + 1];
    (void)snprintf(text, sizeof text, "reload %010u %010u %s\n", begun, ended, state_reload_name(how));
    (void)!pwrite(lock, text, STATE_LOCK_RELOAD_BYTES, STATE_LOCK_PID_BYTES);
}

#endif
