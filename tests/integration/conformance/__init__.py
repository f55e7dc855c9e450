# SPDX-License-Identifier: Apache-2.0
"""The conformance cases, by topic. Each table is data; test_conformance.py sends it."""
from conformance import (connections, fields, hosts, lengths, limits, methods, paths, request_line, responses, targets,
                         transfer)

TOPICS = {
    "request-line": request_line.CASES,
    "target": targets.CASES,
    "path": paths.CASES,
    "host": hosts.CASES,
    "field": fields.CASES,
    "length": lengths.CASES,
    "transfer": transfer.CASES,
    "connection": connections.CASES,
    "method": methods.CASES,
    "response": responses.CASES,
    "limit": limits.CASES,
}

CASES = {f"{topic}.{case.id}": case for topic, cases in TOPICS.items() for case in cases}
assert len(CASES) == sum(map(len, TOPICS.values())), "two cases of one topic share an id"
