/* SPDX-License-Identifier: Apache-2.0 */
/* memfd.h – sealed memory files: rings (fixed size) and record files (fixed content).
 * Runs in: every process. Distrusts: whoever passed the descriptor. */
#ifndef LUTTPD_CHANNEL_MEMFD_H
#define LUTTPD_CHANNEL_MEMFD_H

#include <stddef.h>
#include <stdint.h>

/** Makes a memfd of exactly bytes zero bytes, sealed against resizing and further seals.
 * Returns the descriptor, owned by the caller, or -errno. */
int memfd_make_ring(const char *name, size_t bytes);

/** Maps a ring memfd for reading and writing after checking type, seals and exact size.
 * fd: borrowed, may be closed afterwards. Returns 0 with out set, -EBADMSG where it is not
 * what it should be, else -errno. Unmap with munmap. */
int memfd_map_ring(int fd, size_t bytes, void **out);

/** Makes a memfd holding exactly content, sealed against every change.
 * Returns the descriptor, owned by the caller, or -errno. */
int memfd_make_file(const char *name, const void *content, size_t bytes);

/** Maps a content-sealed memfd read-only after checking type, seals and that its size is at most
 * max bytes. fd: borrowed. Returns 0 with out and size set (an empty file is -EBADMSG),
 * -EBADMSG, or -errno. Nobody can change what is mapped. Unmap with munmap. */
int memfd_map_file(int fd, size_t max, const uint8_t **out, size_t *size);

#endif
