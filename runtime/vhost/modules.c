/* SPDX-License-Identifier: Apache-2.0 */
/* modules.c – where the text of Lua files comes from.
 * Runs in: vhost. Distrusts: the tree; the name of a module has been checked: identifiers and dots.
 *
 *   require "luttpd.x", "shared.x"   luttpd's own, part of the binary
 *   require "a.b"                    a/b.lua in the site's directory
 */
#include "vhost/modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vhost/process_facts.h"
#include "vhost_lua.h"

const struct embedded_lua *modules_find_own(const char *path) {
    for (const struct embedded_lua *f = vhost_files; f->name != NULL; f++) {
        if (strcmp(f->name, path) == 0) {
            return f;
        }
    }
    return NULL;
}

static int read_all(int fd, char *text, size_t size) {
    size_t at = 0;
    while (at < size) {
        ssize_t n = pread(fd, text + at, size - at, (off_t)at);
        if (n <= 0) {
            return n < 0 ? -errno : -EIO; /* shrunk while it was read */
        }
        at += (size_t)n;
    }
    return 0;
}

int modules_read(const struct vhost *v, const char *name, char **text, size_t *size) {
    uint64_t bytes;
    int64_t modified;
    int fd = files_open_regular(v->files.root, name, v->files.owner, &bytes, &modified);
    if (fd < 0) {
        return fd == -ENOTDIR ? -ENOENT : fd;
    }
    int rc = bytes <= SCRIPT_TEXT_MAX_BYTES ? 0 : -EFBIG;
    char *buffer = rc == 0 ? malloc((size_t)bytes + 1) : NULL;
    if (rc == 0 && buffer == NULL) {
        rc = -ENOMEM;
    }
    if (rc == 0) {
        rc = read_all(fd, buffer, (size_t)bytes);
    }
    (void)close(fd);
    if (rc != 0) {
        free(buffer);
        return rc;
    }
    *text = buffer;
    *size = (size_t)bytes;
    return 0;
}

static void free_text(struct script_source *source) {
    free(source->owner);
}

static int find_own(const struct vhost *v, const char *path, struct script_source *out) {
    const struct embedded_lua *f = modules_find_own(path);
    (void)snprintf(out->chunk, sizeof out->chunk, "=%s", path);
    out->library = true;
    if (f != NULL) {
        out->text = f->text;
        out->size = f->size;
        return 0;
    }
    if (strcmp(path, "luttpd/processes.lua") != 0) {
        return -ENOENT;
    }
    char *text = process_facts_as_lua(v->start.role_uids);
    if (text == NULL) {
        return -ENOMEM;
    }
    out->text = out->owner = text;
    out->size = strlen(text);
    out->release = free_text;
    return 0;
}

int site_find_module(void *context, const char *name, struct script_source *out) {
    const struct vhost *v = context;
    char path[SCRIPT_MODULE_NAME_MAX + 8], *text;
    size_t size;
    int n = snprintf(path, sizeof path, "%s.lua", name);
    for (int i = 0; i < n - 4; i++) {
        path[i] = path[i] == '.' ? '/' : path[i];
    }
    *out = (struct script_source){.text = NULL};
    if (strncmp(path, "luttpd/", 7) == 0 || modules_find_own(path) != NULL) {
        return find_own(v, path, out);
    }
    int rc = modules_read(v, path, &text, &size);
    if (rc != 0) {
        return rc;
    }
    (void)snprintf(out->chunk, sizeof out->chunk, "@%s", path);
    out->text = out->owner = text;
    out->size = size;
    out->release = free_text;
    return 0;
}
