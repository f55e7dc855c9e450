/* SPDX-License-Identifier: Apache-2.0 */
/* compile_filters.c – turns the rules of processes.lua into seccomp programs.
 * Runs in: the build. Writes C arrays to the file named by its only argument, so that no luttpd
 * process links libseccomp or compiles anything at start. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tiocl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cage/own_pid.h"
#include "schema/processes.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

struct outline {
    const char *name;
    uint32_t otherwise; /* what happens to calls without a rule */
    uint32_t foreign;   /* what happens to calls of another architecture */
};

struct rule {
    enum filter filter;
    const char *call;
    uint32_t action;
    unsigned tests_count;
    struct scmp_arg_cmp tests[2];
};

#include "cage/filter_rules.h"

#define PROGRAM_MAX 4096 /* instructions: the kernel's own limit */

struct program {
    size_t length;
    struct sock_filter code[PROGRAM_MAX];
};

static _Noreturn void fail(const char *filter, const char *what, int error) {
    (void)fprintf(stderr, "compile_filters: %s: %s: %s\n", filter, what, strerror(error));
    exit(1);
}

/* A call that this architecture does not have needs no rule; one that nobody has is a slip of the pen.
 * libseccomp may not know a call that is newer than itself, and cannot then filter it: refuse. */
static void add_rule(scmp_filter_ctx context, const char *filter, const struct rule *r) {
    int number = seccomp_syscall_resolve_name(r->call);
    if (number == __NR_SCMP_ERROR) {
        fail(filter, r->call, ENOSYS);
    }
    if (number < 0) {
        return;
    }
    int rc = seccomp_rule_add_array(context, r->action, number, r->tests_count, r->tests);
    if (rc != 0) {
        fail(filter, r->call, -rc);
    }
}

static scmp_filter_ctx build(enum filter number) {
    const struct outline *f = &filters[number];
    scmp_filter_ctx context = seccomp_init(f->otherwise);
    if (context == NULL) {
        fail(f->name, "seccomp_init", ENOMEM);
    }
    int rc = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, f->foreign);
    if (rc == 0) {
        rc = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    }
    if (rc != 0) {
        fail(f->name, "seccomp_attr_set", -rc);
    }
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].filter == number) {
            add_rule(context, f->name, &rules[i]);
        }
    }
    return context;
}

/* libseccomp exports to a descriptor only. */
static void compile(enum filter number, struct program *out) {
    const char *name = filters[number].name;
    scmp_filter_ctx context = build(number);
    FILE *file = tmpfile();
    if (file == NULL) {
        fail(name, "tmpfile", errno);
    }
    int rc = seccomp_export_bpf(context, fileno(file));
    if (rc != 0) {
        fail(name, "seccomp_export_bpf", -rc);
    }
    ssize_t n = pread(fileno(file), out->code, sizeof out->code, 0);
    if (n <= 0 || n % (ssize_t)sizeof *out->code != 0 || n == (ssize_t)sizeof out->code) {
        fail(name, "program size", EFBIG);
    }
    out->length = (size_t)n / sizeof *out->code;
    (void)fclose(file);
    seccomp_release(context);
}

static void print(FILE *out, enum filter number, const struct program *p) {
    (void)fprintf(out, "\nstatic const struct sock_filter %s[] = {\n", filters[number].name);
    for (size_t i = 0; i < p->length; i++) {
        const struct sock_filter *s = &p->code[i];
        (void)fprintf(out, "    {0x%02x, %u, %u, 0x%08x},\n", s->code, s->jt, s->jf, s->k);
    }
    (void)fputs("};\n", out);
}

int main(int argc, char **argv) {
    static struct program program;
    size_t lengths[FILTER_COUNT];
    FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;
    if (out == NULL) {
        (void)fputs("usage: compile_filters OUTPUT\n", stderr);
        return 2;
    }
    (void)fputs("/* SPDX-License-Identifier: Apache-2.0 */\n"
                "/* Generated from processes.lua by compile_filters: do not edit. */\n"
                "#include \"cage/filters.h\"\n",
                out);
    for (unsigned i = 0; i < FILTER_COUNT; i++) {
        compile((enum filter)i, &program);
        print(out, (enum filter)i, &program);
        lengths[i] = program.length;
        if (lengths[i] > CAGE_FILTER_MAX) {
            fail(filters[i].name, "CAGE_FILTER_MAX", EFBIG);
        }
    }
    (void)fputs("\nconst struct cage_filter cage_filters[FILTER_COUNT] = {\n", out);
    for (unsigned i = 0; i < FILTER_COUNT; i++) {
        (void)fprintf(out, "    {\"%s\", %s, %zu},\n", filters[i].name, filters[i].name, lengths[i]);
    }
    (void)fputs("};\n", out);
    return fclose(out) == 0 ? 0 : 1;
}
