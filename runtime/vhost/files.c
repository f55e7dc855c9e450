/* SPDX-License-Identifier: Apache-2.0 */
/* files.c – opens what a site serves, beneath its root and never outside.
 * Runs in: vhost, under the owner's UID. Distrusts: the path, and the tree.
 *
 * Every open is one openat2 beneath the root. Links are refused at first; where the kernel meets
 * one, a second try follows it, still beneath the root, and then the target must belong to the
 * owner or to root: in a directory that others may write, a link could offer them our rights.
 * The same holds for a file with several names. O_NONBLOCK: opening a FIFO must not wait.
 */
#include "vhost/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vhost/media_type.h"

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define RACES_MAX 8 /* tries against a tree that is being renamed */

static int open_beneath(int dir, const char *name, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve};
    for (int i = 0; i < RACES_MAX; i++) {
        long fd = syscall(SYS_openat2, dir, name, &how, sizeof how);
        if (fd >= 0) {
            return (int)fd;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
    }
    return -EAGAIN;
}

static int check_file(const struct stat *st, bool linked, uid_t owner) {
    if (S_ISDIR(st->st_mode)) {
        return -EISDIR;
    }
    if (!S_ISREG(st->st_mode)) {
        return -EACCES;
    }
    bool ours = st->st_uid == owner || st->st_uid == 0;
    return ours || (st->st_nlink <= 1 && !linked) ? 0 : -EACCES;
}

int files_open_regular(int dir, const char *name, uid_t owner, uint64_t *size, int64_t *modified) {
    struct stat st;
    bool linked = false;
    int fd = open_beneath(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLVE_NO_SYMLINKS);
    if (fd == -ELOOP) {
        linked = true;
        fd = open_beneath(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    }
    if (fd < 0) {
        return fd;
    }
    int rc = fstat(fd, &st) == 0 ? check_file(&st, linked, owner) : -errno;
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    *size = (uint64_t)st.st_size;
    *modified = st.st_mtim.tv_sec;
    return fd;
}

int files_is_directory(int dir, const char *name) {
    int fd = open_beneath(dir, name, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* Names that are never served: those that begin with a dot, except the one that RFC 8615 gives to
 * the public, and the site's own script. */
static bool is_hidden(struct slice rest) {
    size_t start = 0;
    for (size_t i = 0; i <= rest.n; i++) {
        if (i < rest.n && rest.p[i] != '/') {
            continue;
        }
        struct slice segment = slice_from(rest.p + start, i - start);
        if (segment.n > 0 && segment.p[0] == '.' && !slice_equal(segment, SLICE(".well-known"))) {
            return true;
        }
        if (slice_equal(segment, SLICE("vhost.lua"))) {
            return true;
        }
        start = i + 1;
    }
    return false;
}

struct name_buffer {
    size_t n;
    char text[PATH_MAX];
};

static bool append(struct name_buffer *b, struct slice s) {
    if (s.n >= sizeof b->text - b->n) {
        return false;
    }
    if (s.n > 0) {
        memcpy(b->text + b->n, s.p, s.n);
    }
    b->n += s.n;
    b->text[b->n] = '\0';
    return true;
}

static enum files_verdict verdict_from(int error) {
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
    case -EINVAL:
        return FILES_NOT_FOUND;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
    case -EAGAIN:
        return FILES_BUSY;
    default:
        return FILES_FORBIDDEN;
    }
}

/* Opens and keeps one file. Returns 0, or -errno as files_open_regular does. */
static int open_and_keep(const struct files *f, struct slice key, const char *name, uint64_t now_ms,
                         struct open_file **out) {
    uint64_t size = 0;
    int64_t modified = 0;
    int fd = files_open_regular(f->root, name, f->owner, &size, &modified);
    if (fd == -EMFILE && open_cache_shrink(f->cache)) {
        fd = files_open_regular(f->root, name, f->owner, &size, &modified);
    }
    if (fd < 0) {
        return fd;
    }
    struct open_file *file = open_cache_put(f->cache, key, fd, now_ms);
    if (file == NULL) {
        return -ENOMEM;
    }
    file->size = size;
    file->modified = modified;
    file->media_type = media_type_of(slice_text(name));
    http_date_format(file->last_modified, modified);
    *out = file;
    return 0;
}

static enum files_verdict open_index(const struct files *f, const struct files_mount *mount,
                                     struct slice path, struct name_buffer *name, uint64_t now_ms,
                                     struct open_file **out) {
    size_t base = name->n;
    for (size_t i = 0; i < mount->index_count; i++) {
        name->n = base;
        if (!append(name, mount->index[i])) {
            continue;
        }
        int rc = open_and_keep(f, path, name->text, now_ms, out);
        if (rc == 0) {
            return FILES_OPEN;
        }
        if (rc != -EISDIR && verdict_from(rc) != FILES_NOT_FOUND) {
            return verdict_from(rc);
        }
    }
    return FILES_NOT_FOUND;
}

static enum files_verdict open_anew(const struct files *f, const struct files_mount *mount, struct slice path,
                                    struct slice rest, uint64_t now_ms, struct open_file **out) {
    struct name_buffer name = {.n = 0};
    bool cut =
        memchr(rest.p, '\0', rest.n) != NULL; /* no honest listener passes that: it would name another file */
    if (cut || is_hidden(rest) || !append(&name, mount->dir) || !append(&name, SLICE("/")) ||
        !append(&name, rest)) {
        return FILES_NOT_FOUND;
    }
    if (rest.n == 0 || rest.p[rest.n - 1] == '/') {
        return open_index(f, mount, path, &name, now_ms, out);
    }
    int rc = open_and_keep(f, path, name.text, now_ms, out);
    if (rc == -EISDIR) {
        return FILES_DIRECTORY;
    }
    return rc == 0 ? FILES_OPEN : verdict_from(rc);
}

enum files_verdict files_open(const struct files *f, const struct files_mount *mount, struct slice path,
                              struct slice rest, uint64_t now_ms, struct open_file **out) {
    struct open_file *file = open_cache_find(f->cache, path, now_ms);
    if (file != NULL) {
        *out = file;
        return FILES_OPEN;
    }
    return open_anew(f, mount, path, rest, now_ms, out);
}

enum files_verdict files_open_named(const struct files *f, struct slice key, struct slice name,
                                    uint64_t now_ms, struct open_file **out) {
    struct name_buffer text = {.n = 0};
    struct open_file *file = open_cache_find(f->cache, key, now_ms);
    if (file != NULL) {
        *out = file;
        return FILES_OPEN;
    }
    if (!append(&text, name)) {
        return FILES_NOT_FOUND;
    }
    int rc = open_and_keep(f, key, text.text, now_ms, out);
    return rc == 0 ? FILES_OPEN : verdict_from(rc == -EISDIR ? -ENOENT : rc);
}
