/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy_text.c – any bytes as a policy, through sandbox, checker and rules: mistakes that can be
 * told, or records that can be read. The first byte says whether it is a parsing or a routing policy.
 * One VM lives on from input to input, so a script that spoils luttpd's own Lua is seen at the next one:
 * between them, policies without and with a mistake must be judged as ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/config.h"

#define MEMORY_BYTES (48u << 20)
#define CPU_MS 40 /* a loop is cut off by then */
#define INPUTS_PER_VM 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char server_text[] =
    "listen '127.0.0.1:80' vhost 'a' { default = true, user = 'auto', root = 'a' } "
    "vhost 'b' { hosts = { 'b.example' }, user = 'auto', root = 'b' } ";

/* What the functions below, which stand in for input.c and outcome.c, are asked with. */
struct trial {
    struct config config; /* first: they get this */
    char server[512];     /* text of server.lua */
    struct slice policy;  /* text of own.lua */
    unsigned faults, plans;
};

int config_read_file(const struct config *c, const char *name, size_t max, struct config_text *out) {
    const struct trial *t = (const struct trial *)c;
    struct slice text = strcmp(name, "own.lua") == 0 ? t->policy : slice_text(t->server);
    MUST(text.n <= max);
    out->p = malloc(text.n + 1);
    MUST(out->p != NULL);
    memcpy(out->p, text.p, text.n);
    out->n = text.n;
    return 0;
}

int config_append_users(const struct config *c, const char *text, size_t n) {
    (void)c, (void)text, (void)n;
    return 0;
}

void config_fault(const struct config *c, struct slice file, uint32_t line, struct slice key,
                  struct slice reason) {
    (void)line, (void)key;
    MUST(file.n > 0 && reason.n > 0);
    ((struct trial *)(uintptr_t)c)->faults++;
}

static void check_records(const struct record_builder *b) {
    struct record_file file;
    struct ring_record record;
    int rc;
    record_file_init(&file, b->bytes, b->size);
    while ((rc = record_file_next(&file, &record)) == 1) {
        MUST(message_name(record.type) != NULL);
    }
    MUST(rc == 0);
}

void config_send_plan(struct config *c) {
    check_records(&c->plan);
    check_records(&c->routes);
    check_records(&c->policies);
    ((struct trial *)c)->plans++;
}

/* Evaluates one policy; says whether it was good. */
static bool judge(struct trial *t, bool routing, struct slice policy) {
    (void)snprintf(t->server, sizeof t->server, "%s%s 'own.lua'", server_text,
                   routing ? "routing" : "parsing");
    struct config *c = &t->config;
    t->policy = policy;
    t->faults = t->plans = 0;
    c->start.directory = SLICE("/etc/luttpd");
    c->plan.size = c->routes.size = c->policies.size = 0;
    script_stack_run(&c->stack, config_evaluate, c);
    free(c->text.p);
    c->text = (struct config_text){NULL, 0};
    MUST((t->faults == 0) == (t->plans == 1));
    return t->plans == 1;
}

static void renew(struct trial *t) {
    const struct script_options options = {
        .memory_bytes = MEMORY_BYTES, .cpu_ms = CPU_MS, .stack = &t->config.stack, .context = t};
    script_free(t->config.script);
    MUST(script_new(&t->config.script, &options) == 0);
}

static struct trial *trial_get(void) {
    static struct trial trial;
    static unsigned inputs;
    if (trial.config.script == NULL) {
        MUST(script_stack_map(&trial.config.stack) == 0);
        (void)snprintf(trial.config.file, sizeof trial.config.file, "server.lua");
    }
    if (inputs++ % INPUTS_PER_VM == 0) {
        renew(&trial);
    }
    return &trial;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 65536) {
        return 0;
    }
    struct trial *t = trial_get();
    (void)judge(t, data[0] & 1, slice_from((const char *)data + 1, size - 1));
    MUST(judge(t, false, SLICE("reject { status = 403, path = lpeg.P '/x' * lpeg.R 'az' ^ 1 }")));
    MUST(judge(t, true, SLICE("route '*' { split = { a = 1, b = 2 } }")));
    MUST(!judge(t, false, SLICE("limits { body = '1XB' }")) && t->faults == 1);
    return 0;
}
