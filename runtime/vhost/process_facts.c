/* SPDX-License-Identifier: Apache-2.0 */
/* process_facts.c – require "luttpd.processes": what processes.lua says about each role.
 * Runs in: vhost. */
#include "vhost/process_facts.h"

#include <stdio.h>
#include <unistd.h>

#include "schema/processes.h"

static void put_text(FILE *out, const char *text) {
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') {
            (void)fprintf(out, "\\%03d", (unsigned char)*text);
        } else {
            (void)fputc(*text, out);
        }
    }
    (void)fputc('"', out);
}

/* The names of the roles whose bits are set. */
static void put_roles(FILE *out, uint32_t bits) {
    for (int role = 0; role < ROLE_COUNT; role++) {
        if ((bits >> role & 1) != 0) {
            put_text(out, role_facts[role].name);
            (void)fputs(", ", out);
        }
    }
}

static void put_role(FILE *out, const struct role_facts *f, uint32_t uid) {
    (void)fprintf(out, "  { uid = %u, name = ", uid);
    put_text(out, f->name);
    (void)fputs(", holds = ", out);
    put_text(out, f->holds);
    (void)fputs(", does = ", out);
    put_text(out, f->does);
    (void)fputs(", never = { ", out);
    for (const char *const *never = f->never; *never != NULL; never++) {
        put_text(out, *never);
        (void)fputs(", ", out);
    }
    (void)fputs("}, peers = { ", out);
    put_roles(out, f->peers);
    (void)fprintf(out, "}, network = \"%s\", root = \"%s\" },\n", f->empty_network ? "none" : "host",
                  f->empty_root ? "empty" : "host");
}

char *process_facts_as_lua(const uint32_t *uids) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("return {\n", out);
    for (int role = 0; role < ROLE_COUNT; role++) {
        put_role(out, &role_facts[role], role == ROLE_VHOST ? getuid() : uids[role]);
    }
    (void)fputs("}\n", out);
    return fclose(out) == 0 ? text : NULL;
}
