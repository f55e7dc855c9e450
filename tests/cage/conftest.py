# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the escape tests; escape.py has what is behind them."""
import os
import pathlib

import pytest

from escape import BUILD, ESCAPE, HERE, Nursery, Place
from society import Society


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="write the golden files instead of comparing")


def pytest_collection_modifyitems(items):
    """Without root, or in a sanitizer build, there is no cage as it ships: say so, test nothing."""
    cache = BUILD / "CMakeCache.txt"
    reason = None
    if os.getuid() != 0:
        reason = "needs root"
    elif not (ESCAPE / "nursery").exists():
        reason = f"{ESCAPE} is not built"
    elif "LUTTPD_ASAN:BOOL=ON" in cache.read_text():
        reason = "sanitizer builds have a wider cage"
    for item in items:
        if reason and HERE in pathlib.Path(item.fspath).parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def place():
    made = Place()
    yield made
    made.close()


@pytest.fixture(scope="session")
def nursery(place):
    return Nursery(place)


@pytest.fixture
def society():
    """A function that makes societies, with their arguments."""
    made = []

    def make(*arguments, **options):
        made.append(Society(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.remove()
