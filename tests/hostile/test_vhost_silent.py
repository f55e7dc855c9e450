# SPDX-License-Identifier: Apache-2.0
"""A vhost that takes a request and never answers. The request was sent when the session began, so
that the minute which it is given passes while the other files are tested."""
import time

ANSWER_MAX = 60  # seconds that a vhost has for its head: ANSWER_MAX_MS of the listener


def test_vhost_that_never_answers_gets_504(silent):
    silent.assert_served()
    left = ANSWER_MAX + 5 - (time.monotonic() - silent.asked)
    silent.waiting.client.settimeout(max(left, 1))
    reply = silent.waiting.reply()
    assert reply.startswith(b"HTTP/1.1 504 "), reply
    assert silent.end.read_until("RESET")["reason"] == "timeout"
    assert silent.accused() == 0  # slow is no broken rule
    silent.assert_served()
