-- SPDX-License-Identifier: Apache-2.0
-- processes.lua: every kind of luttpd process, each entry its own threat model.
-- Read by gen_processes.lua, which emits schema/processes.h and .c, the rules from which the
-- seccomp filters are compiled, and docs/PROCESSES.md. The order is that of enum role.
--
--   account   the account it runs under; where it does not exist, uid is used (and as its group).
--             Without an account: the owner's, which the plan names
--   peers     with whom it exchanges messages
--   holds, does, never   plain sentences, for documents and for pages that draw the process tree
--   network   "host" or "none" (an empty network namespace; inherited sockets still accept)
--   root      "host" or "empty" (a read-only file system without a single entry)
--   landlock  "unused", or any of "read" (a directory to read beneath) and "write"; "nothing"
--   drains    true: the end of its control channel lets it finish for a few seconds;
--             false: it is killed with its parent
--   first     capabilities for its own first step only; capabilities: those that it keeps
--   calls     the system calls it may make once its cage is closed; every other one ends it
--   executable  calls instead of the same ones of the list, where the process may compile Lua
--   refuse    (master) calls that fail with EPERM in master and in everything it starts
--
-- A system call is a name, or one of
--   only("name", argument, { values })        the argument, as 32 bits, is one of the values
--   only("name", argument, value, argument, value ...)   all of these
--   lacks("name", argument, "FLAGS")          none of these bits is set
--   has("name", argument, "FLAGS")            all of these bits are set
--   own_pid("name", argument)                 the argument is the process's own pid
--   fails("name", "ERROR")                    is answered with an error: some library probes it
-- Arguments count from 0. A list may contain lists.

-- tests/cage/test_calls.py runs a whole server under strace: a call that no role makes must go, or its
-- reason must stand here and there.

-- malloc. Where memory is short it tries a second arena, as threads do from the start: that is where the
-- last three come from.
local memory = {
  "brk", "munmap", "mremap",
  lacks("mmap", 2, "PROT_EXEC"),
  lacks("mprotect", 2, "PROT_EXEC"), "madvise", "sched_getaffinity",
}

-- LuaJIT writes a trace, then makes it executable: never both at once, and never by mmap.
local compiled_lua = {
  lacks("mprotect", 2, "PROT_EXEC"), lacks("mprotect", 2, "PROT_WRITE"),
}

-- Dying: abort sends a signal to its own thread, after libc's last words on standard error. A mistake of
-- ours that ended with SIGSYS would look like an attack.
local death = {
  "exit_group", "write", "writev",
  "rt_sigaction", "rt_sigprocmask", "getpid", "gettid", own_pid("tgkill", 0),
}

local life = {
  death,
  "rt_sigreturn",                   -- a Lua deadline's tick, master's death
  "futex",                          -- libc's locks: it wakes sleepers where there might be some
  "clock_gettime",                  -- clocks of CPU time; all, where the machine's has no vDSO
  fails("clone3", "ENOSYS"),        -- its flags lie in memory, where a filter cannot look
}

-- Threads start before the filter; these are the calls with which they begin and end. libuv yields to a
-- thread that is about to finish.
local threads = { "set_robust_list", "rseq", "sched_yield", "exit" }

-- The last word when master has died and draining hangs.
local draining = { "alarm" }

-- What has been sent or opened is looked at, used and closed. MSG_FASTOPEN would connect. libc's fstat is
-- one or the other, by version.
local telling = { lacks("sendmsg", 2, "MSG_FASTOPEN"), "close", "fstat", has("newfstatat", 3, "AT_EMPTY_PATH") }
local messages = { telling, "recvmsg", only("fcntl", 1, { "F_GET_SEALS" }) }

-- libuv's; which of the two waits depends on its version.
local loop = {
  "epoll_wait", "epoll_pwait", "epoll_ctl",
  only("ioctl", 1, { "FIONBIO" }),  -- no F_SETFL, no F_SETOWN, no terminal
}

-- A memfd of a fixed kind. The last flag is unknown before Linux 6.3, and then left out.
local make_memfd = {
  only("memfd_create", 1, { "MFD_CLOEXEC|MFD_ALLOW_SEALING", "MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_NOEXEC_SEAL" }),
  "ftruncate",
  only("fcntl", 1, { "F_ADD_SEALS" }),
}

-- Lua's os.time, where the machine's clock has no vDSO.
local lua = { "time" }

process "master" {
  account = "root", uid = 0,
  peers = { "config", "router", "listener", "vhost", "logger" },
  holds = "Root, cut down to nine capabilities; the listening sockets; the plan.",
  does = "Binds sockets, starts every other process under its own user, and restarts what dies.",
  never = {
    "It never parses text.", "It never contains Lua or HTTP.",
    "It never lets a peer choose how much it allocates.",
  },
  network = "host", root = "host", landlock = "unused", drains = true,
  first = {},
  capabilities = {
    "SETUID", "SETGID", "SETPCAP", "NET_BIND_SERVICE", "KILL", "CHOWN", "DAC_READ_SEARCH",
    "SYS_CHROOT", "SYS_ADMIN",
  },
  -- What no child, not even an application, ever needs. The list reaches all of them.
  refuse = {
    "init_module", "finit_module", "delete_module", "create_module",
    "kexec_load", "kexec_file_load", "reboot",
    "bpf", "perf_event_open", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
    "pidfd_getfd", "add_key", "request_key", "keyctl",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd",
    "open_by_handle_at", "name_to_handle_at", "lookup_dcookie", "fanotify_init",
    "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "nfsservctl", "syslog",
    "iopl", "ioperm", "modify_ldt", "vm86", "uselib", "personality",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
    only("ioctl", 1, { "TIOCSTI", "TIOCLINUX" }),
  },
}

process "config" {
  account = "_luttpd-config", uid = 1899999901,
  peers = { "master" },
  holds = "Read access to the directory of the admin's configuration, only while it evaluates.",
  does = "Evaluates server.lua in a sandbox, checks it, hands over the plan, and exits.",
  never = {
    "It never opens a socket.", "It never outlives the evaluation.",
    "It never reads a file outside the configuration's directory.",
  },
  network = "none", root = "empty", landlock = { "read" }, drains = false,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = {
    memory, life, telling, make_memfd, lua,
    "openat2", "pread64",
    "pwrite64", "fsync",             -- the table of automatic users; ftruncate where that fails half-way
    "poll", "restart_syscall",       -- until master reads; the other where a stop interrupts that
  },
}

process "router" {
  account = "_luttpd-router", uid = 1899999902,
  peers = { "master", "listener", "logger" },
  holds = "The map from host names to vhosts, and the admin's routing policy.",
  does = "Decides which vhost answers a request, by the map and the policy's Lua, and asks master to introduce the two.",
  never = {
    "It never sees a request's body or a response.", "It never holds a channel to a vhost.",
    "It never opens a file or a socket.",
  },
  network = "none", root = "empty", landlock = "nothing", drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = { memory, life, draining, messages, loop, lua },
}

process "listener" {
  account = "_luttpd-listener", uid = 1899999903,
  peers = { "master", "router", "vhost", "logger" },
  holds = "One listening socket and the connections that it accepted there.",
  does = "Parses HTTP, refuses what is wrong or against the admin's policy, and exchanges messages with vhosts.",
  never = {
    "It never opens a file or a socket.", "It never connects to anything.",
    "It never holds a private key.",
  },
  network = "none", root = "empty", landlock = "nothing", drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = {
    memory, life, draining, threads, messages, loop, make_memfd, lua,
    "read",                          -- what its threads ring
    "accept4", "recvfrom", lacks("sendto", 3, "MSG_FASTOPEN"), "sendfile",
    has("statx", 2, "AT_EMPTY_PATH"), -- of a file that a vhost sent: the one call that does not wait for a disk
    "preadv2",                       -- asks whether a page is cached, without waiting
    "dup",                           -- of its own listening socket: the spare descriptor, once it was needed
    only("setsockopt", 1, "IPPROTO_TCP", 2, "TCP_NOTSENT_LOWAT"), -- how much the kernel holds for a reader
    only("shutdown", 1, "SHUT_WR"),  -- reading too would close a listening socket for everyone
  },
}

process "vhost" {
  peers = { "master", "listener", "logger" },
  holds = "A descriptor of its own root directory.",
  does = "Runs the owner's vhost.lua and handlers, and opens the owner's files.",
  never = {
    "It never sees another vhost's files, memory or requests.", "It never runs a program.",
    "It never opens a socket.",
  },
  network = "none", root = "empty", landlock = { "read", "write" }, drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = {
    memory, life, draining, messages, loop, lua,
    "openat2", "pread64",
    "getuid", "getgid",              -- what a script may ask about its own process
  },
  executable = compiled_lua,
}

process "logger" {
  account = "_luttpd-log", uid = 1899999905,
  peers = { "master", "router", "listener", "vhost" },
  holds = "The directory of the logs.",
  does = "Writes each vhost's access and error log where only that owner can read it.",
  never = {
    "It never holds up a request.", "It never reads a file outside the log directory.",
    "It never opens a socket.",
  },
  network = "none", root = "empty", landlock = { "write" }, drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = {
    memory, life, draining, threads, messages, loop, make_memfd,
    "read", "openat2", "lseek", "fchmod",
  },
}

-- Sanitizer builds only, instead of the rules for the same calls: what their runtime needs to
-- work and to describe what it found. Never part of what ships.
sanitizer {
  "prctl", "sigaltstack", "getrlimit", "prlimit64", "readlink", "readlinkat", "open", "openat", "lseek",
  "stat", "newfstatat", "access", "fcntl", "ioctl", "getppid", "tgkill", "uname", "dup", "dup2", "pipe2",
  "read", "sched_yield", "nanosleep", "clock_nanosleep", "sysinfo", "getuid", "getrandom", "set_robust_list", "rseq", "exit",
}
