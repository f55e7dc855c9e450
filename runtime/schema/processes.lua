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

-- What libc needs to keep a process alive: its own memory, threads, clocks and death.
local memory = {
  "brk", "munmap", "mremap", "madvise",
  lacks("mmap", 2, "PROT_EXEC"),
  lacks("mprotect", 2, "PROT_EXEC"),
}

-- LuaJIT writes a trace, then makes it executable: never both at once, and never by mmap.
local compiled_lua = {
  "brk", "munmap", "mremap", "madvise",
  lacks("mmap", 2, "PROT_EXEC"),
  lacks("mprotect", 2, "PROT_EXEC"), lacks("mprotect", 2, "PROT_WRITE"),
}

local life = {
  "exit", "exit_group", "futex", "restart_syscall", "sched_yield", "gettid", "getpid", "getuid", "getgid",
  "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getrandom",
  "clock_gettime", "clock_getres", "gettimeofday", "time", "clock_nanosleep", "nanosleep",
  own_pid("tgkill", 0),             -- abort, and raise(SIGPROF) of the Lua deadline
  "alarm",                          -- the last word when master has died and draining hangs
  fails("clone3", "ENOSYS"),        -- its flags lie in memory, where a filter cannot look
  fails("sysinfo", "EPERM"),        -- qsort asks for the size of memory
}

-- Threads start before the filter; these are the calls with which they begin and end.
local threads = { "set_robust_list", "rseq", "sched_getaffinity" }

-- Bytes and messages on descriptors that the process already holds. MSG_FASTOPEN would connect.
local messages = {
  "read", "write", "readv", "writev", "close", "recvmsg", "recvfrom",
  lacks("sendmsg", 2, "MSG_FASTOPEN"), lacks("sendto", 3, "MSG_FASTOPEN"),
  "poll", "ppoll",
  "fstat", has("newfstatat", 3, "AT_EMPTY_PATH"), has("statx", 2, "AT_EMPTY_PATH"),
  only("fcntl", 1, { "F_GETFD", "F_SETFD", "F_GETFL", "F_GET_SEALS" }),
  only("ioctl", 1, { "FIONBIO" }),  -- uv_poll; no F_SETFL, no F_SETOWN, no terminal
}

local loop = { "epoll_wait", "epoll_pwait", "epoll_ctl" }

-- A memfd of a fixed kind. The last flag is unknown before Linux 6.3.
local make_memfd = {
  only("memfd_create", 1, { "MFD_CLOEXEC|MFD_ALLOW_SEALING", "MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_NOEXEC_SEAL" }),
  "ftruncate",
  only("fcntl", 1, { "F_ADD_SEALS" }),
}

local deadline = { "timer_create", "timer_settime", "timer_gettime", "timer_delete", "sigaltstack" }

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
    memory, life, threads, messages, loop, make_memfd, deadline,
    "openat2", "lseek", "pread64", "pwrite64", "fsync", "fdatasync",
  },
}

process "router" {
  account = "_luttpd-router", uid = 1899999902,
  peers = { "master", "listener", "logger" },
  holds = "The map from host names to vhosts.",
  does = "Decides which vhost answers for a host, and asks master to introduce the two.",
  never = {
    "It never sees a request's body or a response.", "It never holds a channel to a vhost.",
    "It never opens a file or a socket.",
  },
  network = "none", root = "empty", landlock = "nothing", drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = { memory, life, threads, messages, loop },
}

process "listener" {
  account = "_luttpd-listener", uid = 1899999903,
  peers = { "master", "router", "vhost", "logger" },
  holds = "One listening socket and the connections that it accepted there.",
  does = "Parses HTTP, refuses what is wrong, and exchanges messages with vhosts.",
  never = {
    "It never opens a file or a socket.", "It never connects to anything.",
    "It never holds a private key.",
  },
  network = "none", root = "empty", landlock = "nothing", drains = true,
  first = { "SYS_CHROOT" }, capabilities = {},
  calls = {
    memory, life, threads, messages, loop, make_memfd,
    "accept4", "sendfile",
    "preadv2",                       -- asks whether a page is cached, without waiting
    "dup",                           -- of its own listening socket: the spare descriptor
    only("shutdown", 1, "SHUT_WR"),  -- reading too would close a listening socket for everyone
    only("setsockopt", 1, "IPPROTO_TCP", 2, "TCP_NODELAY"),  -- no SO_LINGER: it makes close wait
    only("getsockopt", 1, "SOL_SOCKET", 2, "SO_ERROR"),
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
    memory, life, threads, messages, loop, deadline,
    "openat2", "lseek", "pread64", "fadvise64", "readahead",
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
    memory, life, threads, messages, loop, make_memfd,
    "openat2", "openat", "lseek", "fchmod", "fsync", "fdatasync",
  },
}

-- Sanitizer builds only, instead of the rules for the same calls: what their runtime needs to
-- work and to describe what it found. Never part of what ships.
sanitizer {
  "prctl", "sigaltstack", "getrlimit", "prlimit64", "readlink", "readlinkat", "open", "openat", "lseek",
  "stat", "newfstatat", "access", "fcntl", "ioctl", "getppid", "tgkill", "uname", "dup", "dup2", "pipe2",
}
