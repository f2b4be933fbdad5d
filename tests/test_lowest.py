"""The lowest versions: what pyproject.toml admits is what `make test-lowest` installs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
# The book is built from constraints.txt alone, and The Virtual Brain is an oracle.
EXTRAS = ("head", "eeglab", "bids", "onnx", "test")
# Of old ones pip finds CUDA builds alone: constraints-lowest.txt has a later one.
LATER = {"torch"}

project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
extras = [project["optional-dependencies"][name] for name in EXTRAS]


def _pins():
    """Return package -> the version of constraints-lowest.txt."""
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pin.name): _bound(pin, "==") for pin in pins}


def _bound(requirement, operator):
    """Return the version that a requirement names with an operator."""
    (version,) = (s.version for s in requirement.specifier if s.operator == operator)
    return Version(version)


@pytest.mark.parametrize("text", sorted(set(sum(extras, project["dependencies"]))))
def test_the_lowest_version_is_installed(text):
    requirement = Requirement(text)
    pin = _pins()[canonicalize_name(requirement.name)]
    lowest = _bound(requirement, ">=")
    assert pin >= lowest if requirement.name in LATER else pin == lowest
