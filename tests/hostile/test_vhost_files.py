# SPDX-License-Identifier: Apache-2.0
"""A hostile vhost that passes descriptors: of the wrong kind, from elsewhere, too many, too few, and
files that change while they are sent. THREATS 16, 17.

Stoppers taken away by hand, and what was seen:
  device   file_send.c without the comparison with the vhost's device: the case other-device fails
  regular  without S_ISREG: the case directory fails
  share    before each vhost had a share of closing: test_flood_of_descriptors found 158 held"""
import contextlib
import os
import pathlib
import select
import socket
import tempfile
import time

import pytest

from codec import LENGTH_UNKNOWN
from server import PATIENCE, wait_until
from stage import FORGED, Stage, close_all, fd_count

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def stage():
    one = Stage()
    yield one
    one.close()


@pytest.fixture
def own(stage):
    """A regular file of evil's, which may be passed."""
    path = stage.server.site_directory("evil") / "own"
    path.write_bytes(b"a" * 1000)
    return path


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def pass_file(call, fd, length, offset=0, head=True, **head_values):
    if head:
        call.head(200, head_values.get("content_length", length))
    call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream)
    call.say("FILE", offset=offset, length=length)


def settled(stage, before):
    """The listener holds no more descriptors than it did."""
    wait_until(lambda: fd_count(stage.listener) <= before, "its descriptors are closed")


def test_good_file_is_sent(stage, own):
    """Not hostile: the control of the tests below."""
    call = stage.call()
    with opened(own) as fd:
        pass_file(call, fd, 1000)
    call.say("END")
    assert call.reply().endswith(b"\r\n\r\n" + b"a" * 1000)


# Kinds -----------------------------------------------------------------------------------------------


def make_fifo(own):
    path = own.parent / "fifo"
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


def make_symlink(own):
    path = own.parent / "symlink"
    path.unlink(missing_ok=True)
    path.symlink_to("own")
    return os.open(path, os.O_PATH | os.O_NOFOLLOW)


def make_memfd(_):
    fd = os.memfd_create("evil")
    os.write(fd, b"x" * 1000)
    return fd


def make_elsewhere(own):
    """A regular file of another device: which devices are a vhost's, master has said."""
    fd, name = tempfile.mkstemp(dir="/dev/shm")
    os.unlink(name)
    os.write(fd, b"x" * 1000)
    assert os.fstat(fd).st_dev != own.stat().st_dev
    return fd


def make_pipe(_):
    reader, writer = os.pipe()
    os.close(writer)
    return reader


def make_epoll(_):
    with select.epoll() as poll:
        return os.dup(poll.fileno())


KINDS = {
    "fifo": make_fifo, "directory": lambda own: os.open(own.parent, os.O_RDONLY | os.O_DIRECTORY),
    "directory-path": lambda own: os.open(own.parent, os.O_PATH), "symlink": make_symlink, "memfd": make_memfd,
    "zero": lambda _: os.open("/dev/zero", os.O_RDONLY), "null": lambda _: os.open("/dev/null", os.O_RDONLY),
    "other-device": make_elsewhere, "proc": lambda _: os.open("/proc/self/status", os.O_RDONLY),
    "tcp": lambda _: socket.socket().detach(), "unix": lambda _: socket.socketpair()[0].detach(), "pipe": make_pipe,
    "epoll": make_epoll, "pidfd": lambda _: os.pidfd_open(os.getpid()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_descriptor_of_another_kind_cuts_off(stage, own, kind):
    call = stage.call()
    before = fd_count(stage.listener)
    fd = KINDS[kind](own)
    began = time.monotonic()
    call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream)  # no FILE: the first look is enough
    os.close(fd)
    assert call.end.cut_off()
    assert time.monotonic() - began < 5
    stage.assert_cut_off(call)
    settled(stage, before)


@pytest.mark.parametrize("flags", [os.O_PATH, os.O_WRONLY, os.O_WRONLY | os.O_APPEND], ids=str)
def test_descriptor_that_cannot_be_read_ends_the_response(stage, own, flags):
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(own, flags) as fd:
        pass_file(call, fd, 1000)
    call.say("END")
    assert b"aaa" not in call.reply()
    stage.assert_served()
    settled(stage, before)
    assert own.read_bytes() == b"a" * 1000


def test_flags_that_are_changed_behind_its_back_block_nobody(stage, own):
    """The flags belong to the description that evil still holds."""
    call = stage.call()
    with opened(own) as fd:
        pass_file(call, fd, 1000)
        os.set_blocking(fd, False)
        os.lseek(fd, 500, os.SEEK_SET)
        call.say("END")
        assert call.reply().endswith(b"\r\n\r\n" + b"a" * 1000)  # nor is the offset believed
    stage.assert_served()


# Order and number --------------------------------------------------------------------------------------


def test_file_without_descriptor_cuts_off(stage):
    call = stage.call()
    call.head(200, 100)
    call.say("FILE", length=100)
    stage.assert_cut_off(call, answer=False)


def test_descriptor_of_another_stream_is_not_used(stage, own):
    first, second = stage.call(), stage.call()
    first.head(200, 1000)
    second.head(200, 1000)
    with opened(own) as fd:
        first.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=first.stream)
    second.say("FILE", length=1000)
    stage.assert_cut_off(second, answer=False)
    assert b"aaa" not in first.reply()


def test_second_descriptor_before_its_file_cuts_off(stage, own):
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(own) as fd:
        for _ in range(2):
            call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream)
    stage.assert_cut_off(call)
    settled(stage, before)


@pytest.mark.parametrize("change", [1, 1 << 16, 511], ids=hex)
def test_descriptor_for_no_stream_cuts_off(stage, own, change):
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(own) as fd:
        call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream + change)
    stage.assert_cut_off(call)
    settled(stage, before)


@pytest.mark.parametrize("name, count", [("FILE_DESCRIPTOR", 0), ("FILE_DESCRIPTOR", 2), ("FILE_DESCRIPTOR", 4),
                                         ("FILE_DESCRIPTOR", 5), ("FILE_DESCRIPTOR", 253), ("DOORBELL", 1), ("DOORBELL", 253)])
def test_wrong_number_of_descriptors_cuts_off(stage, own, name, count):
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(own) as fd:
        call.end.packet(name, fds=[fd] * count, **({"stream": call.stream} if name != "DOORBELL" else {}))
    stage.assert_cut_off(call)
    settled(stage, before)


@pytest.mark.parametrize("offset, length, announced", [
    (0, 1001, 1000), (0, 2**64 - 1, LENGTH_UNKNOWN), (2**63, 1, LENGTH_UNKNOWN), (2**64 - 1, 1, 1), (2**63 - 1, 2**63 - 1, LENGTH_UNKNOWN),
    (1, 2**63 - 1, LENGTH_UNKNOWN)])
def test_impossible_range_cuts_off(stage, own, offset, length, announced):
    call = stage.call()
    with opened(own) as fd:
        pass_file(call, fd, length, offset=offset, content_length=announced)
    stage.assert_cut_off(call, answer=False)


def test_file_that_follows_before_the_first_is_sent_cuts_off(stage):
    path = stage.server.site_directory("evil") / "large"
    with open(path, "wb") as file:
        file.truncate(64 * MEGABYTE)
    call = stage.call()
    call.head(200)
    with opened(path) as fd:
        pass_file(call, fd, 64 * MEGABYTE, head=False)
        pass_file(call, fd, 64 * MEGABYTE, head=False)
    stage.assert_cut_off(call, answer=False)


def test_ten_thousand_descriptors_leave_none_behind(stage, own):
    """Announced and taken back, in a response that never ends."""
    call = stage.call()
    call.head(200)
    before = fd_count(stage.listener)
    most = 0
    with opened(own) as fd:
        for number in range(10000):
            call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream)
            call.say("FILE", length=0)
            if number % 500 == 0:
                wait_until(lambda: call.end.writer.get(64) == call.end.writer.at, "it has read")
                most = max(most, fd_count(stage.listener))
    assert most <= before + 3, (before, most)
    call.say("END")
    assert call.reply().endswith(b"\r\n\r\n0\r\n\r\n")
    settled(stage, before)
    stage.assert_served()


def test_flood_of_descriptors_for_a_stream_that_is_over_is_cut_off(stage, own):
    """The client has left, so descriptors may cross: a few, not thousands."""
    call = stage.call("POST {path} HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 1000000\r\n\r\n")
    before = fd_count(stage.listener)
    with socket_reset(call.client):
        assert call.end.read_until("RESET")["stream"] == call.stream
    with opened(own) as fd:
        end = time.monotonic() + PATIENCE
        while not stage.accused() > stage.cuts and time.monotonic() < end:
            for _ in range(500):
                call.end.packet("FILE_DESCRIPTOR", fds=[fd], stream=call.stream)
            assert fd_count(stage.listener) <= before + 80
    stage.assert_cut_off()
    settled(stage, before)


@contextlib.contextmanager
def socket_reset(client):
    """Closes with a reset, so that the listener cannot think that the client still reads."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    yield


# Files that change --------------------------------------------------------------------------------------


def test_file_shorter_than_promised_ends_the_response(stage, own):
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(own) as fd:
        pass_file(call, fd, 5000)
    call.say("END")
    reply = call.reply()
    assert reply.count(b"a") < 5000 and FORGED not in reply
    stage.assert_served()
    settled(stage, before)


@pytest.mark.parametrize("chunked", [False, True])
def test_truncation_while_it_is_sent_ends_the_response(stage, chunked):
    path = stage.server.site_directory("evil") / "shrinks"
    size = 64 * MEGABYTE
    with open(path, "wb") as file:
        file.truncate(size)
    call = stage.call()
    before = fd_count(stage.listener)
    with opened(path) as fd:
        pass_file(call, fd, size, content_length=LENGTH_UNKNOWN if chunked else size)
    call.say("END")
    assert len(call.client.recv(4096)) > 0
    os.truncate(path, MEGABYTE)
    got = len(call.reply())
    assert got < size
    stage.assert_served()
    settled(stage, before)


def test_file_that_is_rewritten_while_it_is_sent_is_its_owners_business(stage):
    path = stage.server.site_directory("evil") / "rewritten"
    path.write_bytes(b"1" * 8 * MEGABYTE)
    call = stage.call()
    with opened(path) as fd:
        pass_file(call, fd, 8 * MEGABYTE)
    call.say("END")
    path.write_bytes(b"2" * 8 * MEGABYTE)
    body = call.reply().split(b"\r\n\r\n", 1)[1]
    assert set(body) <= set(b"12") and len(body) <= 8 * MEGABYTE
    stage.assert_served()


def test_ring_memory_can_neither_grow_nor_shrink(stage):
    """The vhost's end of the memfd: sealed before it was passed."""
    call = stage.call()
    for link in pathlib.Path("/proc/self/map_files").iterdir():
        if "luttpd-ring" in os.readlink(link):
            break
    with opened(link, os.O_RDWR) as fd:
        for size in (0, 4096, os.fstat(fd).st_size + 4096, 1 << 40):
            with pytest.raises(PermissionError):
                os.ftruncate(fd, size)
        with pytest.raises(OSError):
            os.pwrite(fd, b"x", os.fstat(fd).st_size)
    call.head(200, 0)
    call.say("END")
    assert call.reply().startswith(b"HTTP/1.1 200 ")
