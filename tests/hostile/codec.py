# SPDX-License-Identifier: Apache-2.0
"""Speaks luttpd's vocabulary, correctly or with one thing wrong.

For the fake peers of tests/hostile and tests/integration. Everything it knows comes from
vocabulary.json and hostile_cases.json, which runtime/schema/gen.lua writes.

    frame = codec.frame("OPEN", stream=1, path=b"/")      what is not named is 0, false or empty
    name, values = codec.parse(frame)
    for case in codec.CASES: frame, fds = codec.broken(case)
"""
import json
import pathlib
import socket
import struct

_HERE = pathlib.Path(__file__).parent
VOCABULARY = json.loads((_HERE / "vocabulary.json").read_text())
CASES = json.loads((_HERE / "hostile_cases.json").read_text())
MESSAGES = {message["name"]: message for message in VOCABULARY["messages"]}
BY_ID = {message["id"]: message for message in VOCABULARY["messages"]}
ENUMS = {enum["name"]: enum["of"] for enum in VOCABULARY["enums"]}
LINKS = {link["name"]: link for link in VOCABULARY["links"]}
LIMITS = VOCABULARY["limits"]
LENGTH_UNKNOWN = 2**64 - 1

_INTEGERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q"}


class Malformed(Exception):
    """The bytes are not the message that they say they are."""


def _encode_field(field, value):
    kind = field["type"]
    if kind in _INTEGERS:
        numbers = value if "count" in field else [value]
        return b"".join(struct.pack(_INTEGERS[kind], number) for number in numbers)
    if kind == "boolean":
        return bytes([int(value)])
    if kind == "enumerated":
        return bytes([ENUMS[field["of"]].index(value) if isinstance(value, str) else value])
    if kind == "fields":
        lines = b"".join(struct.pack("<HH", len(n), len(v)) + n + v for n, v in value)
        return struct.pack("<H", len(value)) + lines
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(raw)) + raw


def _empty(field):
    if field["type"] == "fields":
        return []
    if field["type"] in ("text", "bytes"):
        return b""
    return [0] * field["count"] if "count" in field else 0


def _parts(name, values):
    """The encoded fields, one by one; neither maxima nor ranges are checked."""
    fields = MESSAGES[name]["fields"]
    unknown = set(values) - {field["name"] for field in fields}
    if unknown:
        raise KeyError(f"{name} has no {', '.join(sorted(unknown))}")
    return [_encode_field(field, values.get(field["name"], _empty(field))) for field in fields]


def payload(name, /, **values):
    return b"".join(_parts(name, values))


def raw_frame(message_id, content, size=None, reserved=0):
    return struct.pack("<IHH", len(content) if size is None else size, message_id, reserved) + content


def frame(name, /, **values):
    return raw_frame(MESSAGES[name]["id"], payload(name, **values))


class _Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Malformed("too short")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]


def _decode_field(field, cursor):
    kind = field["type"]
    if kind in _INTEGERS:
        numbers = [cursor.number(_INTEGERS[kind]) for _ in range(field.get("count", 1))]
        return numbers if "count" in field else numbers[0]
    if kind == "boolean":
        return bool(cursor.number("<B"))
    if kind == "enumerated":
        number = cursor.number("<B")
        if number >= len(ENUMS[field["of"]]):
            raise Malformed(f"{field['name']}: {number} is not in {field['of']}")
        return ENUMS[field["of"]][number]
    if kind == "fields":
        lines = []
        for _ in range(cursor.number("<H")):
            name, value = cursor.number("<H"), cursor.number("<H")
            lines.append((cursor.take(name), cursor.take(value)))
        return lines
    return cursor.take(cursor.number("<H"))


def parse(data):
    """(name, values) of a whole frame. Raises Malformed."""
    cursor = _Cursor(data)
    size, message_id, reserved = cursor.number("<I"), cursor.number("<H"), cursor.number("<H")
    if message_id not in BY_ID or reserved != 0 or size != len(data) - 8:
        raise Malformed(f"frame of {len(data)} bytes: size {size}, type {message_id}, reserved {reserved}")
    message = BY_ID[message_id]
    values = {field["name"]: _decode_field(field, cursor) for field in message["fields"]}
    if cursor.at != len(data):
        raise Malformed("leftover")
    return message["name"], values


def send(sock, name, /, fds=(), **values):
    socket.send_fds(sock, [frame(name, **values)], list(fds))


def receive(sock):
    """(name, values, fds), or None where the peer has closed. The caller owns the descriptors."""
    data, fds, _, _ = socket.recv_fds(sock, 8 + LIMITS["packet_payload_max"], LIMITS["packet_fds_max"])
    if not data:
        return None
    name, values = parse(data)
    return name, values, fds


# Broken messages ---------------------------------------------------------------------------------


def _break_field(case, field):
    """What stands in place of the field."""
    value, kind = case["value"], case["case"]
    if kind in ("enum", "boolean"):
        return bytes([value])
    if kind == "length":
        return struct.pack("<H", value) + b"x" * value
    if kind == "nul":
        return struct.pack("<H", 3) + b"a\0b"
    if kind == "count":
        return struct.pack("<H", value) + b"\0\0\0\0" * value
    assert kind == "field_length", kind
    return struct.pack("<HHH", 1, value, 0) + b"x" * value


def _broken_frame(case):
    content = b"\0" * 8
    return {
        "type_unknown": lambda: raw_frame(case["value"], content),
        "type_zero": lambda: raw_frame(0, content),
        "size_too_large": lambda: raw_frame(1, content, size=case["value"]),
        "reserved": lambda: raw_frame(1, content, reserved=case["value"]),
    }[case["case"]]()


def broken(case):
    """(frame, number of descriptors) of a case of hostile_cases.json. For the cases phase and
    direction the message is well made: the test sends it when, or from where, it may not be sent."""
    if "message" not in case:
        return _broken_frame(case), 0
    message = MESSAGES[case["message"]]
    parts, fds = _parts(case["message"], {}), message["fds"]
    if case["case"] == "descriptors":
        fds = case["value"]
    elif case["case"] == "leftover":
        parts.append(b"\0" * case["value"])
    elif case["case"] == "short":
        parts = [b"".join(parts)[:-1]]
    elif case["case"] == "empty":
        parts = []
    elif "field" in case:
        at = [field["name"] for field in message["fields"]].index(case["field"])
        parts[at] = _break_field(case, message["fields"][at])
    return raw_frame(message["id"], b"".join(parts)), fds


def cases(via=None, sender=None, receiver=None):
    """The cases that concern one way, sender or receiver."""
    return [case for case in CASES
            if (via is None or case["via"] == via)
            and (sender is None or sender in case["from"])
            and (receiver is None or receiver in case["to"])]
