/* SPDX-License-Identifier: Apache-2.0 */
/* site.h – what vhost.lua declared, and how it is read.
 * Runs in: vhost. Distrusts: vhost.lua, its modules, and the tree they lie in. */
#ifndef LUTTPD_VHOST_SITE_H
#define LUTTPD_VHOST_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "script/script.h"
#include "vhost/files.h"
#include "vhost/route_table.h"

#define SITE_ERROR_PAGES_MAX 64

struct vhost;

enum target_kind { TARGET_HANDLER, TARGET_FILES, TARGET_REDIRECT };

/** What a route leads to. Texts are owned and live as long as the process. */
struct target {
    enum target_kind kind;
    char *where;                /* "vhost.lua:12" */
    int handler;                /* TARGET_HANDLER: reference to the function */
    struct files_mount mount;   /* TARGET_FILES */
    struct slice cache_control; /* TARGET_FILES: empty for none */
    struct slice to;            /* TARGET_REDIRECT */
    uint16_t status;            /* TARGET_REDIRECT */
};

/** What errors { [404] = ... } declares. */
struct error_page {
    uint16_t status;
    int handler;       /* LUA_NOREF where it is a file */
    struct slice file; /* relative to the root */
};

/** What vhost.lua declared. */
struct site {
    struct route_table *routes;
    struct target **targets;
    size_t target_count;
    struct error_page errors[SITE_ERROR_PAGES_MAX];
    size_t error_count;
    bool loading; /* verbs are allowed */
    bool broken;  /* vhost.lua failed: every answer is 500 */
};

/* site.c */

/** Makes the script's host functions and evaluates vhost.lua. A vhost.lua that fails leaves the site
 * broken, with the reason in the owner's error log. Returns 0, -ENOMEM. */
int site_load(struct vhost *v);

/** script_find_module and script_print of a vhost; context is struct vhost. */
int site_find_module(void *context, const char *name, struct script_source *out);
void site_print(void *context, const char *text, size_t n);

/* verbs.c */

/** Pushes the table of host functions that lua/luttpd/verbs.lua turns into verbs. */
void verbs_push(struct vhost *v);

/** Adds files "/" { dir = "public" }: what a site without vhost.lua does. Returns 0, -ENOMEM. */
int verbs_add_default(struct vhost *v);

#endif
