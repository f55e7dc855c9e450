# SPDX-License-Identifier: Apache-2.0
"""Helpers of tests/integration for the hostile peers, and what they need of the machine."""
import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))


def pytest_collection_modifyitems(items):
    if os.geteuid() == 0:
        return
    for item in items:
        if pathlib.Path(item.fspath).name != "test_vocabulary.py":
            item.add_marker(pytest.mark.skip(reason="starts a server that changes users: needs root"))


@pytest.fixture(scope="session", autouse=True)
def silent(request):
    """A server whose evil vhost has been asked something and never answers, where a test wants it."""
    if os.geteuid() != 0 or not any(item.path.name == "test_vhost_silent.py" for item in request.session.items):
        yield None
        return
    from stage import Stage  # pylint: disable=import-outside-toplevel
    one = Stage()
    one.asked, one.waiting = time.monotonic(), one.call()
    yield one
    one.close()
