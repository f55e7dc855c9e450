/* SPDX-License-Identifier: Apache-2.0 */
/* file_share.c – one descriptor for each open file of a vhost, however many clients it goes to.
 * Runs in: listener. Distrusts: the vhost; what it shares is shared among its own clients only. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "listener/connection.h"

static struct file_shared **bucket_of(struct listener *l, const struct link *k, uint64_t inode) {
    uint64_t hash = (inode ^ k->vhost << 32) * 0x9e3779b97f4a7c15u;
    return &l->shared_files[hash >> 32 & (FILE_BUCKETS - 1)];
}

static struct file_shared *find(struct listener *l, const struct link *k, uint64_t inode) {
    struct file_shared *s = *bucket_of(l, k, inode);
    while (s != NULL && (s->link != k || s->device != k->device || s->inode != inode)) {
        s = s->next;
    }
    return s;
}

static struct file_shared *add(struct listener *l, const struct link *k, uint64_t inode, int fd) {
    struct file_shared *s = l->files < l->files_max ? malloc(sizeof *s) : NULL;
    if (s != NULL) {
        struct file_shared **bucket = bucket_of(l, k, inode);
        *s = (struct file_shared){.next = *bucket, .link = k, .device = k->device, .inode = inode, .fd = fd};
        *bucket = s;
        l->files++;
    }
    return s;
}

int file_share_take(struct link *k, struct file_send *f, uint64_t inode, int fd) {
    struct file_shared *s = find(k->listener, k, inode);
    if (s != NULL) {
        (void)close(fd);
    } else {
        s = add(k->listener, k, inode, fd);
    }
    if (s == NULL) {
        (void)close(fd);
        return -ENFILE;
    }
    s->users++;
    f->shared = s;
    f->fd = s->fd;
    return 0;
}

void file_share_end(struct file_send *f) {
    struct file_shared *s = f->shared;
    f->shared = NULL;
    f->fd = -1;
    if (s == NULL || --s->users > 0) {
        return;
    }
    struct listener *l = s->link->listener;
    struct file_shared **at = bucket_of(l, s->link, s->inode);
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    l->files--;
    (void)close(s->fd); /* regular, on the admin's own disk: does not hang */
    free(s);
}
