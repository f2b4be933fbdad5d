"""The lowest versions: what pyproject.toml admits is what `make test-lowest` installs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
# The book is built from constraints.txt alone, and The Virtual Brain is an oracle.
EXTRAS = ("head", "eeglab", "bids", "onnx", "test")
# Of old ones pip finds CUDA builds alone: constraints-lowest.txt has a later one.
LATER = {"torch"}
# What a hosted notebook may have: with these, on Python 3.12, the first cell of chapters
# installed the library and replaced nothing, and the chapters ran.
HOSTED = {
    "joblib": "1.5.2",
    "llvmlite": "0.43.0",
    "matplotlib": "3.10.0",
    "nibabel": "5.3.2",
    "numba": "0.60.0",
    "numpy": "2.0.2",
    "pandas": "2.2.2",
    "pooch": "1.8.2",
    "requests": "2.32.4",
    "safetensors": "0.6.2",
    "scikit-learn": "1.6.1",
    "scipy": "1.16.3",
    "threadpoolctl": "3.6.0",
    "torch": "2.6.0",
    "tqdm": "4.67.1",
}

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


def test_what_a_hosted_notebook_has_is_admitted():
    needs = {need.name: need for need in map(Requirement, project["dependencies"])}
    refused = [n for n, v in HOSTED.items() if not needs[n].specifier.contains(v)]
    assert refused == []
    assert SpecifierSet(project["requires-python"]).contains("3.12")
