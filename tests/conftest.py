"""Shared fixtures: the published files, where they are on this machine."""

from __future__ import annotations

import signal

import pytest

from deepsif_lite.recordings import find


def _require(name):
    path = find(name)
    if path is None:
        pytest.skip(
            f"needs the published file {name!r}: set DEEPSIF_LITE_DATA, or run "
            "`deepsif-lite data --fetch`"
        )
    return path


def pytest_configure(config):
    # A shell that starts the tests in the background has them ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "published(*names): skip unless these published files are here"
    )
    config.addinivalue_line("markers", "slow: minutes long; run with --slow")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run tests of minutes")


def pytest_runtest_setup(item):
    if item.get_closest_marker("slow") and not item.config.getoption("--slow"):
        pytest.skip("takes minutes: run pytest with --slow")
    for marker in item.iter_markers("published"):
        for name in marker.args:
            _require(name)


@pytest.fixture
def published():
    """Return a function: name of a published file -> its path, or skip."""
    return _require
