/* SPDX-License-Identifier: Apache-2.0 */
/* memfd.c – sealed memory files: rings (fixed size) and record files (fixed content).
 * Runs in: every process. Distrusts: whoever passed the descriptor. */
#include "channel/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* set by MFD_NOEXEC_SEAL */
#endif

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define FILE_SEALS (SIZE_SEALS | F_SEAL_WRITE)

static int make(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) { /* before Linux 6.3 */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd < 0 ? -errno : fd;
}

static int fail_closing(int fd) {
    int error = errno;
    (void)close(fd);
    return -error;
}

int memfd_make_ring(const char *name, size_t bytes) {
    int fd = make(name);
    if (fd < 0) {
        return fd;
    }
    if (ftruncate(fd, (off_t)bytes) != 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS) != 0) {
        return fail_closing(fd);
    }
    return fd;
}

/* Whether fd is a memfd with exactly these seals (the kernel may have added the one against exec). */
static bool sealed_with(int fd, int seals) {
    int found = fcntl(fd, F_GET_SEALS);
    return found >= 0 && (found & ~F_SEAL_EXEC) == seals;
}

int memfd_map_ring(int fd, size_t bytes, void **out) {
    struct stat facts;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size != (off_t)bytes ||
        !sealed_with(fd, SIZE_SEALS)) {
        return -EBADMSG;
    }
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        return -errno;
    }
    *out = p;
    return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

int memfd_make_file(const char *name, const void *content, size_t bytes) {
    int fd = make(name);
    if (fd < 0) {
        return fd;
    }
    if (write_all(fd, content, bytes) != 0 || fcntl(fd, F_ADD_SEALS, FILE_SEALS) != 0) {
        return fail_closing(fd);
    }
    return fd;
}

int memfd_map_file(int fd, size_t max, const uint8_t **out, size_t *size) {
    struct stat facts;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size <= 0 ||
        (uintmax_t)facts.st_size > max || !sealed_with(fd, FILE_SEALS)) {
        return -EBADMSG;
    }
    void *p = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        return -errno;
    }
    *out = p;
    *size = (size_t)facts.st_size;
    return 0;
}
