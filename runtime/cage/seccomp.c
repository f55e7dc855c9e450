/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.c – loads a filter that was compiled during the build.
 * Runs in: every role and, with its list of refusals, master. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/must.h"
#include "cage/cage.h"
#include "cage/filters.h"
#include "cage/omit.h"
#include "cage/own_pid.h"

/* Replaces the mark by the pid, wherever an instruction compares with it. */
static void put_own_pid(struct sock_filter *code, unsigned short length) {
    for (unsigned short i = 0; i < length; i++) {
        if (code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && code[i].k == CAGE_OWN_PID_MARK) {
            code[i].k = (unsigned)getpid();
        }
    }
}

int cage_filter(enum filter filter) {
    struct sock_filter code[CAGE_FILTER_MAX];
    const struct cage_filter *f = &cage_filters[filter];
    if (filter == FILTER_MASTER ? !CAGE_HAS(REFUSALS) : !CAGE_HAS(SECCOMP)) {
        return 0;
    }
    MUST(f->length <= CAGE_FILTER_MAX);
    memcpy(code, f->code, f->length * sizeof *code);
    put_own_pid(code, f->length);
    struct sock_fprog program = {f->length, code};
    /* A positive answer is a thread that the filter could not reach. */
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return rc == 0 ? 0 : rc > 0 ? -EBUSY : -errno;
}
