# SPDX-License-Identifier: Apache-2.0
"""Every hostile case of every message, against the dispatch tables that the processes use.

The tests beside this one play the same cases against running processes; here nothing but the
generated receiver stands between the case and its refusal, on every link that the message knows.
"""
import os
import pathlib
import struct
import subprocess

import pytest

import codec

BUILD = pathlib.Path(__file__).parents[2] / os.environ.get("LUTTPD_BUILD", "build/release")
FRAME_CASES = {"size_too_large", "reserved"}  # the carrier refuses these before dispatch sees them


def ask(questions):
    """What dispatch makes of each (link, phase, descriptors, frame)."""
    lines = []
    for link, phase, fds, frame in questions:
        message_id = struct.unpack_from("<H", frame, 4)[0]
        lines.append(f"{link} {phase} {fds} {message_id} {frame[8:].hex() or '-'}\n")
    done = subprocess.run([BUILD / "tests" / "dispatch_probe"], input="".join(lines), capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def links(case):
    """The links on which the case can be tried."""
    return [link["name"] for link in codec.VOCABULARY["links"] if link["via"] == case["via"]
            and link["sender"] in case["from"] and link["receiver"] in case["to"]]


def phases(case):
    when = codec.MESSAGES[case["message"]]["when"] if "message" in case else "any"
    if case["case"] == "phase":
        return ["serving" if when == "starting" else "starting"]
    return ["starting", "serving"] if when == "any" else [when]


@pytest.fixture(scope="module")
def answers():
    """All cases in one run of the probe: {(case name, link, phase): answer}."""
    questions, keys = [], []
    for case in codec.CASES:
        if case["case"] in FRAME_CASES:
            continue
        frame, fds = codec.broken(case)
        for link in links(case):
            for phase in phases(case):
                questions.append((link, phase, fds, frame))
                keys.append((case["name"], link, phase))
    return dict(zip(keys, ask(questions), strict=True))


@pytest.mark.parametrize("case", [case for case in codec.CASES if case["case"] not in FRAME_CASES],
                         ids=lambda case: case["name"])
def test_the_case_is_refused(case, answers):
    assert links(case), "a case that can be tried nowhere tests nothing"
    for link in links(case):
        for phase in phases(case):
            assert answers[case["name"], link, phase] == "refused", (link, phase)


@pytest.mark.parametrize("name", codec.MESSAGES)
def test_the_well_made_message_is_handled(name):
    message = codec.MESSAGES[name]
    case = {"case": "well made", "message": name, "via": message["via"], "from": message["from"], "to": message["to"]}
    questions = [(link, phase, message["fds"], codec.frame(name)) for link in links(case) for phase in phases(case)]
    assert questions
    assert ask(questions) == [f"handled {name}"] * len(questions)


@pytest.mark.parametrize("name", codec.MESSAGES)
def test_the_codec_reads_what_it_writes(name):
    samples = {"u8": 200, "u16": 60000, "u32": 4000000000, "u64": 2**63, "boolean": True, "text": b"text",
               "bytes": b"\0bytes", "fields": [(b"name", b"value"), (b"", b"")]}
    values = {}
    for field in codec.MESSAGES[name]["fields"]:
        value = codec.ENUMS[field["of"]][-1] if "of" in field else samples[field["type"]]
        values[field["name"]] = [value] * field["count"] if "count" in field and field["type"] != "fields" else value
    assert codec.parse(codec.frame(name, **values)) == (name, values)
    assert len(codec.payload(name, **values)) > codec.MESSAGES[name]["min"] or not any(
        field["type"] in ("text", "bytes", "fields") for field in codec.MESSAGES[name]["fields"])
