/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.c – the same call with good and bad arguments. Names begin with what is expected:
 *   bad.   no role may outlive it      own.  every role must outlive it
 *   role.  depends on the role; the golden file says
 * Descriptor 0 leads to /dev/null; addresses are 0, so what is let through fails in the kernel.
 * Runs in: the tests. */
#include "arguments.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010
#endif
#define CHECKED (MFD_CLOEXEC | MFD_ALLOW_SEALING)
#define HIGH (1L << 32) /* above what the kernel reads of an int */
#define MEMORY (MAP_PRIVATE | MAP_ANONYMOUS)

const struct argument_case argument_cases[] = {
    {"bad.mmap_exec", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MEMORY, -1, 0}},
    {"bad.mmap_write_exec", SYS_mmap, {0, 4096, PROT_WRITE | PROT_EXEC, MEMORY, -1, 0}},
    {"own.mmap", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MEMORY, -1, 0}},
    {"role.mprotect_exec", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
    {"bad.mprotect_write_exec", SYS_mprotect, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
    {"own.mprotect", SYS_mprotect, {0, 4096, PROT_READ | PROT_WRITE}},
    {"bad.pkey_mprotect", SYS_pkey_mprotect, {0, 4096, PROT_READ, -1}},
    {"bad.fcntl_getfl", SYS_fcntl, {0, F_GETFL}},
    {"bad.fcntl_setfd", SYS_fcntl, {0, F_SETFD, 1}},
    {"role.fcntl_get_seals", SYS_fcntl, {0, F_GET_SEALS}},
    {"role.fcntl_add_seals", SYS_fcntl, {0, F_ADD_SEALS, 0}},
    {"bad.fcntl_setfl", SYS_fcntl, {0, F_SETFL, O_NONBLOCK}},
    {"bad.fcntl_setfl_async", SYS_fcntl, {0, F_SETFL, O_ASYNC}},
    {"bad.fcntl_setown", SYS_fcntl, {0, F_SETOWN, 1}},
    {"bad.fcntl_setown_high", SYS_fcntl, {0, F_SETOWN + HIGH, 1}},
    {"bad.fcntl_setown_ex", SYS_fcntl, {0, F_SETOWN_EX, 0}},
    {"bad.fcntl_setsig", SYS_fcntl, {0, F_SETSIG, SIGIO}},
    {"bad.fcntl_dup", SYS_fcntl, {0, F_DUPFD, 100}},
    {"bad.fcntl_setlk", SYS_fcntl, {0, F_SETLK, 0}},
    {"bad.fcntl_setlease", SYS_fcntl, {0, F_SETLEASE, 0}},
    {"bad.fcntl_notify", SYS_fcntl, {0, F_NOTIFY, 0}},
    {"bad.fcntl_setpipe", SYS_fcntl, {0, F_SETPIPE_SZ, 4096}},
    {"role.ioctl_fionbio", SYS_ioctl, {0, FIONBIO, 0}},
    {"bad.ioctl_tiocsti", SYS_ioctl, {0, TIOCSTI, 0}},
    {"bad.ioctl_tiocsti_high", SYS_ioctl, {0, TIOCSTI + HIGH, 0}},
    {"bad.ioctl_tiocsctty", SYS_ioctl, {0, TIOCSCTTY, 0}},
    {"bad.ioctl_tcgets", SYS_ioctl, {0, TCGETS, 0}},
    {"bad.ioctl_fioasync", SYS_ioctl, {0, FIOASYNC, 0}},
    {"bad.ioctl_siocgifconf", SYS_ioctl, {0, 0x8912, 0}},
    {"bad.ioctl_ficlone", SYS_ioctl, {0, 0x40049409, 0}},
    {"bad.prctl_dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}},
    {"bad.prctl_pdeathsig", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
    {"bad.prctl_seccomp", SYS_prctl, {PR_SET_SECCOMP, 0}},
    {"bad.prctl_name", SYS_prctl, {PR_SET_NAME, 0}},
    {"bad.prctl_mm", SYS_prctl, {PR_SET_MM, 0}},
    {"bad.clone_newuser", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
    {"bad.clone_newnet", SYS_clone, {CLONE_NEWNET | SIGCHLD}},
    {"bad.clone_fork", SYS_clone, {SIGCHLD}},
    {"bad.unshare", SYS_unshare, {CLONE_FS}},
    {"bad.setns", SYS_setns, {0, 0}},
    {"bad.socket_netlink", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}},
    {"bad.socket_vsock", SYS_socket, {40, SOCK_STREAM, 0}},
    {"bad.socket_alg", SYS_socket, {38, SOCK_SEQPACKET, 0}},
    {"bad.socket_packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
    {"bad.socket_unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
    {"bad.socket_inet", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"bad.setsockopt_nodelay", SYS_setsockopt, {0, IPPROTO_TCP, TCP_NODELAY}},
    {"bad.setsockopt_linger", SYS_setsockopt, {0, SOL_SOCKET, SO_LINGER}},
    {"bad.setsockopt_level", SYS_setsockopt, {0, SOL_SOCKET, TCP_NODELAY}},
    {"bad.setsockopt_rcvbuf", SYS_setsockopt, {0, SOL_SOCKET, SO_RCVBUFFORCE}},
    {"bad.setsockopt_filter", SYS_setsockopt, {0, SOL_SOCKET, SO_ATTACH_FILTER}},
    {"bad.setsockopt_fastopen", SYS_setsockopt, {0, IPPROTO_TCP, 30}},
    {"bad.setsockopt_repair", SYS_setsockopt, {0, IPPROTO_TCP, 19}},
    {"bad.getsockopt_error", SYS_getsockopt, {0, SOL_SOCKET, SO_ERROR}},
    {"bad.getsockopt_peerpidfd", SYS_getsockopt, {0, SOL_SOCKET, 77}},
    {"role.shutdown_write", SYS_shutdown, {0, SHUT_WR}},
    {"bad.shutdown_read", SYS_shutdown, {0, SHUT_RD}},
    {"bad.shutdown_both", SYS_shutdown, {0, SHUT_RDWR}},
    {"own.sendmsg", SYS_sendmsg, {0, 0, MSG_NOSIGNAL | MSG_DONTWAIT}},
    {"bad.sendmsg_fastopen", SYS_sendmsg, {0, 0, MSG_FASTOPEN}},
    {"role.sendto", SYS_sendto, {0, 0, 0, MSG_NOSIGNAL, 0, 0}},
    {"bad.sendto_fastopen", SYS_sendto, {0, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL, 0, 0}},
    {"bad.sendmmsg", SYS_sendmmsg, {0, 0, 0, 0}},
    {"role.memfd_sealable", SYS_memfd_create, {0, CHECKED}},
    {"role.memfd_noexec", SYS_memfd_create, {0, CHECKED | MFD_NOEXEC_SEAL}},
    {"bad.memfd_plain", SYS_memfd_create, {0, 0}},
    {"bad.memfd_exec", SYS_memfd_create, {0, CHECKED | MFD_EXEC}},
    {"bad.memfd_huge", SYS_memfd_create, {0, CHECKED | MFD_HUGETLB}},
    {"bad.memfd_secret", 447, {0}},
    {"bad.tgkill_init", SYS_tgkill, {1, 1, 0}},
    {"bad.tgkill_everyone", SYS_tgkill, {-1, -1, 0}},
    {"bad.kill_self", SYS_kill, {0, 0}},
    {"bad.prlimit_set", SYS_prlimit64, {0, RLIMIT_CORE, 0, 0}},
    {"own.fstat_by_flag", SYS_newfstatat, {0, 0, 0, AT_EMPTY_PATH}},
    {"bad.stat_by_path", SYS_newfstatat, {AT_FDCWD, 0, 0, 0}},
    {"bad.statx_by_path", SYS_statx, {AT_FDCWD, 0, 0, 0, 0}},
    {"own.clone3_refused", SYS_clone3, {0, 0}},
    {"role.accept", SYS_accept4, {0, 0, 0, 0}},
    {"role.openat2", SYS_openat2, {-1, 0, 0, 0}},
    {"bad.openat", SYS_openat, {-1, 0, 0, 0}},
    {"role.sendfile", SYS_sendfile, {-1, -1, 0, 0}},
    {"role.fchmod", SYS_fchmod, {-1, 0}},
    {"bad.timer_settime", SYS_timer_settime, {-1, 0, 0, 0}},
    {0, 0, {0}},
};
