"""The first code cell of every chapter: one source for all.

It is put in when a chapter is written as a notebook. On the site it is hidden; on Colab
it installs the package, and replaces nothing that is there.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Template
from textwrap import fill
from typing import TYPE_CHECKING

import nbformat
from address import repository_url

import deepsif_lite

if TYPE_CHECKING:
    from nbformat import NotebookNode

TAG = "setup"
ON_GPU = ("03_training", "04_evaluation")
"""Chapters that a graphics card makes quicker."""

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_ADDRESS = "PACKAGE = "
_INDENT = " " * 8
_WIDTH = 88
_SOURCE = Template('''\
# Where the package is missing (on Colab, for example), install it; name the device.
from importlib.util import find_spec

PACKAGE = "$package"
if find_spec("deepsif_lite") is None:
    import subprocess
    import sys
    from contextlib import suppress
    from importlib import invalidate_caches, metadata
    from pathlib import Path

    cure = (
        "Put the wheel that  pip wheel . --no-deps  makes in a checkout of the "
        f"repository into {Path.cwd()}, and run this cell again."
    )
    wheels = sorted(Path.cwd().glob("deepsif_lite-*.whl"))
    package = str(wheels[-1]) if wheels else PACKAGE
    if not package:
        raise ModuleNotFoundError(
            f"deepsif_lite is not installed, nor is its address known. {cure}"
        )
    # What is here stays as it is: torch is gigabytes, and others may be in use.
    needs = """
$needs
    """
    kept = []
    for name in needs.split():
        with suppress(metadata.PackageNotFoundError):
            kept.append(f"{name}=={metadata.version(name)}")
    pip = [sys.executable, "-m", "pip", "install", "-q", package, *kept]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{done.stderr}\\npip failed to install {package}. If versions conflict, "
            f"begin in a new environment; if the address is not reached: {cure}"
        )
    invalidate_caches()

import torch

print("device:", torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU")
''')


def package_address(repository: str | None) -> str:
    """Return what pip installs: the repository at the version of the page."""
    if repository is None:
        return ""
    return f"deepsif-lite @ git+{repository}@v{deepsif_lite.__version__}"


def source(package: str) -> str:
    """Return the cell for what pip shall install, empty where there is no address."""
    project = tomllib.loads(_PROJECT.read_text())["project"]
    names = " ".join(re.match(r"[\w-]+", text)[0] for text in project["dependencies"])
    needs = fill(
        names,
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
    )
    return _SOURCE.substitute(package=package, needs=needs).strip()


def add_setup(notebook: NotebookNode, chapter: str) -> None:
    """Put the cell below the title, and ask for a graphics card where one helps."""
    cell = nbformat.v4.new_code_cell(source(package_address(repository_url())))
    cell.metadata["tags"] = ["remove-cell", TAG, "nbval-ignore-output"]
    notebook.cells.insert(1, cell)
    if chapter in ON_GPU:
        notebook.metadata["accelerator"] = "GPU"


def without_address(source: str) -> str:
    """Return the cell as it is whatever the repository."""
    lines = source.splitlines()
    return "\n".join(_ADDRESS if s.startswith(_ADDRESS) else s for s in lines)
