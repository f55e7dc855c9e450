# SPDX-License-Identifier: Apache-2.0
"""The memory of a process as root reads it: every map of it, whatever core files would leave out."""
import struct

STEP = 1 << 20
AT_RANDOM = 25


def maps(process):
    """(start, end, permissions, name) of each map."""
    for line in (process.proc / "maps").read_text().splitlines():
        addresses, permissions, _, _, _, *name = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in addresses.split("-"))
        yield start, end, permissions, name[0] if name else ""


def holds(process, secret):
    """The names of the maps in which the bytes stand, "" for anonymous ones."""
    found = set()
    with open(process.proc / "mem", "rb", buffering=0) as memory:
        for start, end, _, name in maps(process):
            if secret in Content(memory, start, end, len(secret)):
                found.add(name)
    return found


class Content:
    """A map that is searched piece by piece; what the kernel does not give is taken as empty."""

    def __init__(self, memory, start, end, overlap):
        self.memory, self.start, self.end, self.overlap = memory, start, end, overlap

    def __contains__(self, secret):
        tail = b""
        for at in range(self.start, self.end, STEP):
            try:
                self.memory.seek(at)
                piece = self.memory.read(min(STEP, self.end - at))
            except (OSError, OverflowError, ValueError):
                piece = b""
            if secret in tail + piece:
                return True
            tail = piece[-self.overlap:]
        return False


def canary(process):
    """From AT_RANDOM's bytes, as libc makes it: the lowest one is zero."""
    pairs = dict(struct.iter_unpack("QQ", (process.proc / "auxv").read_bytes()))
    with open(process.proc / "mem", "rb", buffering=0) as memory:
        memory.seek(pairs[AT_RANDOM])
        return memory.read(8)[1:]


def layout(process):
    """Where the program, its heap, its stack, libc and the kernel's own page begin."""
    first = {}
    for start, _, _, name in maps(process):
        kind = name if name.startswith("[") else name.rpartition("/")[2].split(".so")[0].split(" ")[0]
        first.setdefault(kind, start)
    return {kind: first[kind] for kind in (process_name(process), "[heap]", "[stack]", "libc", "[vdso]")}


def process_name(process):
    return f"luttpd-{process.role}"
