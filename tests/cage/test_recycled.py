# SPDX-License-Identifier: Apache-2.0
"""Attack 33: the number of a process that master has started now belongs to somebody else. Master ends its
children, and only them."""
import json
import os

import pytest

from escape import BUILD, HERE, private

PATH = os.pathsep.join(str(HERE.parent / folder) for folder in ("integration", "cage"))


def recycle(how):
    done = private("/usr/bin/python3", HERE / "recycle.py", how,
                   env={**os.environ, "PYTHONPATH": PATH, "LUTTPD_BUILD": str(BUILD)})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found["recycled"].values()) == ["listener", "logger", "router", "vhost"], found
    return found


@pytest.mark.parametrize("how,words", [("STOP", "stopping"), ("STOP_AT_ONCE", "stopping at once"), ("STUCK", "stopping")])
def test_master_ends_its_children_and_no_recycled_number(how, words):
    found = recycle(how)
    assert found["ended"] == 0 and words in found["log"]
    assert found["hit"] == []


def test_a_signal_to_a_recycled_number_is_noticed():
    assert recycle("SIGNALS")["hit"] == ["listener", "logger", "router", "vhost"]
