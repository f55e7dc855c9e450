# SPDX-License-Identifier: Apache-2.0
"""The logger with fake masters and producers: what it writes, and whom it believes."""
import os
import stat
import time

import pytest

import codec
from logger_peers import (HEAD, LOGGER_UID, OWNER_GID, Logger, access, error, make_directories, now_us, parse_combined,
                          parse_json)
from server import wait_until

SITES = {1: "alice", 2: "bob"}


@pytest.fixture
def make_logger(tmp_path):
    made = []
    tmp_path.chmod(0o755)

    def make(log_format="combined", directory=tmp_path, sites=None):
        make_directories(directory, sites or SITES)
        made.append(Logger(directory, sites or SITES, log_format).start())
        return made[-1]

    yield make
    for logger in made:
        logger.remove()


def test_gives_each_line_to_its_owner(make_logger):
    logger = make_logger("both")
    listener, router = logger.producer("listener", 7), logger.producer("router")
    alice, bob = logger.producer("vhost", 1), logger.producer("vhost", 2)
    listener.put_frame(access(1, target=b"/for-alice"))
    listener.put_frame(access(2, target=b"/for-bob"))
    listener.put_frame(access(0, target=b"/for-nobody"))
    listener.put_frame(error(b"from listener"))
    router.put_frame(error(b"from router"))
    alice.put_frame(error(b"from alice"))
    bob.put_frame(error(b"from bob"))
    for producer in (listener, router, alice, bob):
        producer.close()
    assert logger.stop() == 0
    for name, owner in (("alice", b"alice"), ("bob", b"bob"), ("_server", b"nobody")):
        lines = parse_combined(logger.log(f"{name}/access.log"))
        assert [line["target"] for line in lines] == [b"/for-" + owner]
        objects = parse_json(logger.log(f"{name}/access.json"))
        assert [entry["target"] for entry in objects] == ["/for-" + owner.decode()]
    assert logger.log("alice/error.log").endswith(b"Z [error] from alice\n")
    assert logger.log("bob/error.log").endswith(b"Z [error] from bob\n")
    server = logger.log("_server/error.log")
    assert b"[error] listener 7: from listener\n" in server and b"[error] router: from router\n" in server
    assert server.count(b"\n") == 2


@pytest.mark.parametrize("log_format,files", [("combined", {"access.log"}), ("json", {"access.json"})])
def test_writes_only_the_format_that_was_asked_for(make_logger, log_format, files):
    logger = make_logger(log_format)
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1))
    listener.close()
    assert logger.stop() == 0
    assert set(os.listdir(logger.directory / "alice")) == files


def test_names_the_request_as_its_page_does(make_logger):
    logger = make_logger("both")
    listener = logger.producer("listener", 1)
    for request in (0x0123456789abcdef, 2**64 - 1, 10):
        listener.put_frame(access(1, request=request))
    listener.close()
    assert logger.stop() == 0
    names = ["0123456789abcdef", "f" * 16, "0" * 15 + "a"]
    assert [line["request"].decode() for line in parse_combined(logger.log("alice/access.log"))] == names
    assert [entry["request"] for entry in parse_json(logger.log("alice/access.json"))] == names


def test_lets_the_owner_read_and_nobody_else(make_logger):
    logger = make_logger("both")
    listener, alice = logger.producer("listener", 1), logger.producer("vhost", 1)
    listener.put_frame(access(1))
    alice.put_frame(error(b"x"))
    listener.close(), alice.close()
    assert logger.stop() == 0
    for name in ("access.log", "access.json", "error.log"):
        about = (logger.directory / "alice" / name).stat()
        assert stat.S_IMODE(about.st_mode) == 0o640
        assert (about.st_uid, about.st_gid) == (LOGGER_UID, OWNER_GID)


FIELDS = ("method", "target", "host", "referer", "agent")


def test_makes_one_line_of_every_byte_in_every_field(make_logger):
    """Attack 23."""
    logger = make_logger("both")
    listener = logger.producer("listener", 1)
    values = [b"a" + bytes([byte]) + b"b" for byte in range(256)]
    forged = b'\r\n1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET /forged HTTP/1.1" 200 1 "-" "-"\n'
    values += [forged[:32], "\u2028\u202e\x85é€😀".encode(), b"\xc0\x8a\xff\x1b[2J", b"\\x22\\"]
    for value in values:
        for field in FIELDS:
            listener.put_frame(access(1, **{field: value}))
    listener.close()
    assert logger.stop() == 0
    combined, objects = logger.log("alice/access.log"), logger.log("alice/access.json")
    for log in (combined, objects):
        assert log.count(b"\n") == len(values) * len(FIELDS)
        assert set(log) <= {10, *range(0x20, 0x7f)}
    lines, entries = parse_combined(combined), parse_json(objects)
    for number, value in enumerate(values):
        for at, field in enumerate(FIELDS):
            line, entry = lines[number * len(FIELDS) + at], entries[number * len(FIELDS) + at]
            if field != "host":  # combined format does not show it
                assert line[field] == value
            try:
                assert entry[field] == value.decode()
            except UnicodeDecodeError:
                if value[0:1] == b"a":
                    assert entry[field] == value.decode("latin-1")
            assert entry["method"] == ("GET" if field != "method" else entry["method"])


def test_keeps_every_byte_of_an_error_inside_its_record(make_logger):
    logger = make_logger()
    alice = logger.producer("vhost", 1)
    for byte in range(256):
        alice.put_frame(error(b"<" + bytes([byte]) + b"2000-01-01T00:00:00.000Z [error] forged>"))
    alice.put_frame(error(b"boom\nstack traceback:\n\t[C]: in function 'error'\n"))
    alice.close()
    assert logger.stop() == 0
    log = logger.log("alice/error.log")
    assert set(log) <= {9, 10, *range(0x20, 0x7f)}
    lines = log.decode().split("\n")[:-1]
    records = [line for line in lines if line[0].isdigit()]
    assert len(records) == 257
    assert all(line.startswith("  | ") for line in lines if not line[0].isdigit())
    assert len(lines) == 257 + 1 + 2
    assert lines[-3:] == [records[-1], "  | stack traceback:", "  | \t[C]: in function 'error'"]


def test_believes_no_impossible_time_of_a_vhost(make_logger):
    logger = make_logger()
    alice = logger.producer("vhost", 1)
    for time_us in (0, 2**64 - 1, now_us() + 10**10):
        alice.put("LOG_ERROR", time_us=time_us, level="error", text=b"x")
    alice.close()
    assert logger.stop() == 0
    today = time.strftime("%Y-%m-%dT", time.gmtime())
    assert all(line.startswith(today) for line in logger.log("alice/error.log").decode().splitlines())


def test_cuts_off_a_vhost_that_claims_requests(make_logger):
    """Attack 10: identity comes from the channel."""
    logger = make_logger()
    alice, bob, listener = logger.producer("vhost", 1), logger.producer("vhost", 2), logger.producer("listener", 1)
    alice.put_frame(access(2, target=b"/forged"))
    bob.put_frame(error(b"bob lives"))
    assert alice.cut_off()
    logger.wait_note("vhost 1 broke the rules")
    listener.put_frame(access(2, target=b"/true"))
    listener.close(), bob.close()
    assert logger.stop() == 0
    assert [line["target"] for line in parse_combined(logger.log("bob/access.log"))] == [b"/true"]
    assert logger.log("bob/error.log").endswith(b"bob lives\n")
    assert len([note for note in logger.notes if "vhost 1" in note]) == 1


def test_cuts_off_a_listener_that_names_no_vhost(make_logger):
    logger = make_logger()
    liar, honest = logger.producer("listener", 1), logger.producer("listener", 2)
    liar.put_frame(access(3))
    assert liar.cut_off()
    honest.put_frame(access(1))
    honest.close()
    assert logger.stop() == 0
    assert len(parse_combined(logger.log("alice/access.log"))) == 1


def _ring_cases():
    return [case for case in codec.cases(via="ring", receiver="logger") if case["case"] not in ("phase", "direction")]


def test_cuts_off_whoever_sends_a_broken_record(make_logger):
    logger = make_logger()
    bystander = logger.producer("vhost", 2)
    cases = _ring_cases()
    assert len(cases) > 5
    for case in cases:
        listener = logger.producer("listener", 1)
        listener.put_frame(codec.broken(case)[0])
        assert listener.cut_off(3), case
        listener.close()
    bystander.put_frame(error(b"still here"))
    bystander.close()
    assert logger.stop() == 0
    assert logger.log("bob/error.log").endswith(b"still here\n")
    assert len(logger.notes) == len(cases)


def test_cuts_off_whoever_scribbles_over_the_ring(make_logger):
    """Attack 14, as far as a ring without a partner goes: indices and headers."""
    logger = make_logger()
    bystander = logger.producer("vhost", 2)
    for tail in (1, 4, 2**63, 2**64 - 8, 65536 + 8, 1 << 32):
        vhost = logger.producer("vhost", 1)
        vhost.tail = tail
        vhost.publish()
        assert vhost.cut_off(3), tail
        vhost.close()
    for header in (b"\xff" * 8, b"\0" * 8, codec.raw_frame(81, b"", size=65529), codec.raw_frame(0, b"", size=8)):
        vhost = logger.producer("vhost", 1)
        vhost.put_frame(header)
        assert vhost.cut_off(3), header
        vhost.close()
    for packet in (codec.frame("LOG_DROPPED"), b"", b"x", codec.frame("STOP"), codec.raw_frame(56, b"x")):
        vhost = logger.producer("vhost", 1)
        vhost.socket.send(packet)
        assert vhost.cut_off(3), packet
        vhost.close()
    for seed in range(20):
        vhost = logger.producer("vhost", 1)
        vhost.memory[:] = os.urandom(len(vhost.memory))
        assert vhost.cut_off(3), seed
        vhost.close()
    bystander.put_frame(error(b"still here"))
    bystander.close()
    assert logger.stop() == 0
    assert logger.log("bob/error.log").endswith(b"still here\n")


def test_refuses_descriptors_on_a_log_channel(make_logger):
    logger = make_logger()
    before = len(os.listdir(f"/proc/{logger.pid}/fd"))
    vhost = logger.producer("vhost", 1)
    with open("/dev/null", "rb") as null:
        codec.send(vhost.socket, "DOORBELL", [null.fileno()])
    assert vhost.cut_off()
    wait_until(lambda: len(os.listdir(f"/proc/{logger.pid}/fd")) == before, "descriptors are closed")


def test_cuts_off_whoever_rings_without_a_word(make_logger):
    logger = make_logger()
    vhost, listener = logger.producer("vhost", 1), logger.producer("listener", 1)
    vhost.socket.setblocking(False)
    end = time.monotonic() + 5
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while time.monotonic() < end:
            try:
                vhost.ring()
            except BlockingIOError:
                time.sleep(0.001)
    logger.wait_note("vhost 1 broke the rules")
    listener.put_frame(access(1))
    listener.close()
    assert logger.stop() == 0


def test_bounds_what_one_vhost_can_have_logged(make_logger):
    """Attack 21: a vhost that logs as fast as it can takes its share and no more."""
    logger = make_logger()
    vhost, listener = logger.producer("vhost", 1), logger.producer("listener", 1)
    line, end, written, before = error(b"x" * 1000), time.monotonic() + 3, 0, logger.cpu_s()
    listener.put_frame(access(2))
    while time.monotonic() < end:
        if vhost.room() > 4096:
            vhost._write(line)
            vhost.publish()
            written += len(line)
            if written % (32 * len(line)) == 0:
                vhost.ring()
        else:
            time.sleep(0.0005)
    assert 256 * 1024 <= written <= 5 * (256 + 64) * 1024
    assert logger.cpu_s() - before < 1
    assert len(parse_combined(logger.log("bob/access.log"))) == 1
    assert logger.is_alive() and not vhost.cut_off(0.1)


def test_costs_next_to_nothing_with_a_thousand_idle_channels(make_logger):
    sites = {number: f"site-{number}" for number in range(1, 1001)}
    logger = make_logger(sites=sites)
    producers = [logger.producer("vhost", number) for number in sites]
    time.sleep(0.5)
    before = logger.cpu_s()
    time.sleep(3)
    assert logger.cpu_s() - before <= 0.06
    for producer in producers:
        producer.put_frame(error(b"hello"))
    wait_until(lambda: all(logger.log(f"{name}/error.log") for name in sites.values()), "every log")


def test_gives_room_back_only_for_what_is_on_disk(make_logger):
    """Otherwise the next logger could not find what a killed one had read and not written."""
    sites = {number: f"site-{number}" for number in range(1, 251)}
    logger = make_logger(sites=sites)
    listener = logger.producer("listener", 1)
    for number in sites:
        listener._write(access(number))
    listener.publish()  # all in one batch, the last file last
    while listener.index(HEAD) == 0:
        pass
    assert logger.log("site-250/access.log").endswith(b"\n")
    assert listener.index(HEAD) == listener.tail


def test_drains_every_ring_before_it_stops(make_logger):
    logger = make_logger()
    listener, vhost = logger.producer("listener", 1), logger.producer("vhost", 1)
    time.sleep(1.2)
    for _ in range(200):
        listener.put_frame(access(1))
        vhost.put_frame(error(b"x"))
    begin = time.monotonic()
    assert logger.stop(drain_ms=1000) == 0  # the producers live on
    assert time.monotonic() - begin < 1.5
    assert len(parse_combined(logger.log("alice/access.log"))) == 200
    assert logger.log("alice/error.log").count(b"\n") == 200


def test_hears_the_last_words_of_the_dead(make_logger):
    logger = make_logger()
    vhost = logger.producer("vhost", 1)
    vhost.put_frame(error(b"last words"))
    vhost.close()
    assert logger.wait_log("alice/error.log", len).endswith(b"last words\n")


def test_finishes_when_master_is_gone(make_logger):
    logger = make_logger()
    listener = logger.producer("listener", 1)
    listener.put_frame(access(1))
    logger.control.close()
    time.sleep(0.5)
    listener.put_frame(access(1, target=b"/later"))  # it drains as well
    begin = time.monotonic()
    assert logger.wait_exit(6) == 0
    assert time.monotonic() - begin < 4.5
    assert [line["target"] for line in parse_combined(logger.log("alice/access.log"))] == [b"/", b"/later"]


def test_refuses_to_start_with_a_bad_map(make_logger, tmp_path):
    for sites in ({1: "../x"}, {1: "_server"}, {0: "zero"}):
        make_directories(tmp_path, {})
        logger = Logger(tmp_path, sites)
        with pytest.raises(AssertionError, match="route map"):
            logger.start()
        assert logger.wait_exit() == 70
