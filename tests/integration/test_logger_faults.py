# SPDX-License-Identifier: Apache-2.0
"""The logger with disks, directories and loggers that fail: drops are counted, nothing else is lost."""
import collections
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

import codec
from logger_peers import Logger, access, error, make_directories, parse_combined
from server import BUILD, wait_until

SITES = {1: "alice", 2: "bob"}


@pytest.fixture
def make_logger(tmp_path):
    made = []
    tmp_path.chmod(0o755)

    def make(directory=tmp_path):
        make_directories(directory, SITES)
        made.append(Logger(directory, SITES).start())
        return made[-1]

    yield make
    for logger in made:
        logger.remove()


def test_follows_no_link(make_logger, tmp_path):
    logger = make_logger()
    target = tmp_path / "target"
    target.write_bytes(b"")
    target.chmod(0o666)
    (tmp_path / "alice" / "access.log").symlink_to("../target")
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1))
    listener.put_frame(access(2))
    logger.wait_note("cannot write alice/access.log: Too many levels of symbolic links")
    logger.wait_log("bob/access.log", len)
    assert target.read_bytes() == b""
    (tmp_path / "alice" / "access.log").unlink()
    logger.wait_log("alice/access.log", len, 3)
    logger.wait_note("all logs can be written again")


def test_reopens_after_a_rename(make_logger):
    logger = make_logger()
    listener = logger.producer("listener", 1)
    for name in ("alice", "bob"):
        listener.put_frame(access(1 if name == "alice" else 2, target=b"/old"))
    wait_until(lambda: logger.log("alice/access.log") and logger.log("bob/access.log"), "first lines")
    for name in ("alice", "bob"):
        (logger.directory / name / "access.log").rename(logger.directory / name / "access.log.1")
    logger.reopen()
    listener.put_frame(access(1, target=b"/new"))
    new = logger.wait_log("alice/access.log", len)
    assert [line["target"] for line in parse_combined(new)] == [b"/new"]
    assert [line["target"] for line in parse_combined(logger.log("alice/access.log.1"))] == [b"/old"]
    assert not logger.log("bob/access.log")  # opened when there is something to write
    assert stat.S_IMODE((logger.directory / "alice/access.log").stat().st_mode) == 0o640


def test_recovers_when_a_removed_directory_comes_back(make_logger, tmp_path):
    """Fault 7."""
    logger = make_logger()
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1))
    logger.wait_log("alice/access.log", len)
    subprocess.run(["rm", "-r", tmp_path / "alice"], check=True)
    listener.put_frame(access(1, target=b"/meanwhile"))
    logger.wait_note("cannot write alice/access.log")
    make_directories(tmp_path, SITES)
    begin = time.monotonic()
    log = logger.wait_log("alice/access.log", len)
    assert time.monotonic() - begin < 1.5
    assert [line["target"] for line in parse_combined(log)] == [b"/meanwhile"]


@pytest.fixture
def small_disk():
    """A directory on a file system of 256 KiB, in a mount namespace of its own."""
    script = "mount --make-rprivate / && mount -t tmpfs -o size=256k,mode=755 none /mnt && echo ready && exec sleep 600"
    holder = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if holder.stdout.readline() != b"ready\n":
        holder.wait()
        pytest.skip("no mount namespaces here")
    yield pathlib.Path(f"/proc/{holder.pid}/root/mnt")
    holder.kill()
    holder.wait()
    holder.stdout.close()


def test_counts_what_a_full_disk_refuses(make_logger, small_disk):
    """Fault 7: nobody is held up, drops are counted, and lines appear within a second of there being room."""
    logger = make_logger(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * 128 * 1024)
    listener, total = logger.producer("listener", 1), 20000
    begin, before = time.monotonic(), logger.cpu_s()
    for number in range(total):
        listener.put_frame(access(1, target=f"/{number}/".encode() + b"x" * 200))
    assert time.monotonic() - begin < 5
    logger.wait_note("cannot write alice/access.log: No space left on device")
    time.sleep(2)
    assert logger.cpu_s() - before < 1 and logger.memory_bytes() < 64 << 20
    assert len([note for note in logger.read_notes() if "cannot write" in note]) == 1
    (small_disk / "ballast").unlink()
    held = logger.log("alice/access.log")
    begin = time.monotonic()
    logger.wait_log("alice/access.log", lambda log: len(log) > len(held))
    assert time.monotonic() - begin < 1.5
    lines = parse_combined(_make_room_until_confessed(small_disk / "alice" / "access.log"))
    dropped = [int(re.search(rb"luttpd: (\d+) records dropped: No space left", line["agent"])[1])
               for line in lines if line["agent"].startswith(b"luttpd: ")]
    numbers = [int(line["target"].split(b"/")[1]) for line in lines if not line["agent"].startswith(b"luttpd: ")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + sum(dropped) == total and sum(dropped) > 0
    logger.wait_note("all logs can be written again")


def _make_room_until_confessed(path):
    """Empties the log whenever the logger has nothing to write: all that it wrote, in one piece."""
    pieces = []

    def moved():
        size = path.stat().st_size
        time.sleep(0.5)
        if path.stat().st_size == size:
            pieces.append(path.read_bytes())
            os.truncate(path, 0)
        return pieces and b"records dropped" in pieces[-1]

    wait_until(moved, "the logger owns up", pause=0.7)
    return b"".join(pieces)


def test_keeps_lines_whole_across_a_kill(make_logger):
    """A line that was half written when the logger died is ended before the next begins."""
    logger = make_logger()
    path = logger.directory / "alice" / "access.log"
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1))
    logger.wait_log("alice/access.log", len)
    logger.kill()
    with path.open("ab") as log:
        log.write(b'127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /ha')
    logger = make_logger()
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1, target=b"/next"))
    listener.close()
    assert logger.stop() == 0
    lines = path.read_bytes().split(b"\n")
    assert lines[1].endswith(b'"GET /ha')
    assert [line["target"] for line in parse_combined(lines[2] + b"\n")] == [b"/next"]


class Writer:
    """The real producer, in C: numbered lines for alice's error log."""

    def __init__(self, total, per_ms):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        binary = BUILD / "unit" / "log_writer"
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(theirs.fileno(), 3)
                os.closerange(4, 65536)
                os.execv(binary, ["log_writer", str(total), str(per_ms)])
            finally:
                os._exit(99)
        theirs.close()

    def introduce(self, logger):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        codec.send(logger.control, "CHANNEL", [ours.fileno()], peer="vhost", id=1, generation=1)
        codec.send(self.control, "CHANNEL", [theirs.fileno()], peer="logger", id=0, generation=0)
        ours.close(), theirs.close()

    def wait_written(self):
        self.control.settimeout(20)
        assert self.control.recv(1) == b"\0"

    def finish(self):
        self.control.close()
        assert os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == 0


def _numbers(log):
    return [int(number) for number in re.findall(rb"\[info\] line (\d+)\n", log)]


def test_loses_no_record_when_the_logger_is_killed(make_logger):
    total = 1500
    logger, writer = make_logger(), Writer(total, 1)
    writer.introduce(logger)
    for pause in (0.4, 1.1, 0.7):
        time.sleep(pause)
        logger.kill()
        time.sleep(0.1)  # records are written meanwhile
        logger = make_logger()
        writer.introduce(logger)
    writer.wait_written()
    time.sleep(0.05)
    writer.finish()
    assert logger.stop() == 0
    counted = collections.Counter(_numbers(logger.log("alice/error.log")))
    assert sorted(counted) == list(range(total))
    assert sum(counted.values()) - total < 100  # written, and killed before it could say so
    assert b"dropped" not in logger.log("alice/error.log")


def test_keeps_what_was_written_before_the_first_logger(make_logger):
    writer = Writer(500, 500)
    writer.wait_written()
    logger = make_logger()
    writer.introduce(logger)
    time.sleep(0.1)
    writer.finish()
    assert logger.stop() == 0
    assert _numbers(logger.log("alice/error.log")) == list(range(500))


def test_counts_what_is_written_too_fast(make_logger):
    total = 40000
    logger, writer = make_logger(), Writer(total, 400)
    writer.introduce(logger)
    writer.wait_written()
    time.sleep(1.2)
    writer.finish()
    assert logger.stop() == 0
    log = logger.log("alice/error.log")
    numbers = _numbers(log)
    dropped = sum(int(count) for count in re.findall(rb"luttpd: (\d+) records dropped", log))
    assert numbers == sorted(set(numbers)) and numbers[0] == 0
    assert dropped > 0 and len(numbers) + dropped <= total  # the last drops had no next record to travel with


def test_holds_nobody_up_when_it_is_stopped(make_logger):
    """A logger that hangs costs records, not time."""
    logger, writer = make_logger(), Writer(40000, 20)
    writer.introduce(logger)
    logger.wait_log("alice/error.log", len)
    os.kill(logger.pid, signal.SIGSTOP)
    begin = time.monotonic()
    writer.wait_written()
    assert time.monotonic() - begin < 5
    os.kill(logger.pid, signal.SIGCONT)
    writer.finish()
    assert logger.stop() == 0
    numbers = _numbers(logger.log("alice/error.log"))
    assert numbers == list(range(len(numbers))) and len(numbers) > 1000
