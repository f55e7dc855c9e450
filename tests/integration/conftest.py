# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a server of its own for each test, or one shared by a module."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "hostile"))

from server import Server  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(autouse=True)
def needs_root():
    if os.geteuid() != 0:
        pytest.skip("starts a server that changes users: needs root")


def _finish(made):
    for one in made:
        one.remove()


@pytest.fixture
def server():
    """A server that is not started yet."""
    one = Server()
    yield one
    one.remove()


@pytest.fixture
def make_server():
    """A function that makes servers, with the arguments of Server."""
    made = []

    def make(*arguments, **options):
        made.append(Server(*arguments, **options))
        return made[-1]

    yield make
    _finish(made)


@pytest.fixture(scope="module")
def module_server():
    """One server for all tests of a module; its module starts it in a fixture of its own."""
    one = Server()
    yield one
    one.remove()
