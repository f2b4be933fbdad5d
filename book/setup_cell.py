"""The first code cell of every chapter: one source for all.

It is put in when a chapter is written as a notebook. On the site it is hidden; on Colab
it installs the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
from address import repository_url

import deepsif_lite

if TYPE_CHECKING:
    from nbformat import NotebookNode

TAG = "setup"
ON_GPU = ("03_training", "04_evaluation")
"""Chapters that a graphics card makes quicker."""

_ADDRESS = "PACKAGE = "
_SOURCE = """\
# Where the package is missing (on Colab, for example), install it; name the device.
from importlib.util import find_spec

PACKAGE = "{package}"
if find_spec("deepsif_lite") is None:
    import subprocess
    import sys

    if not PACKAGE:
        raise ModuleNotFoundError(
            "deepsif_lite is not installed, and this notebook knows no address of it. "
            "Run  %pip install FOLDER  with the folder of the repository, or with the "
            "wheel that  pip wheel . --no-deps  makes there, then run this cell again."
        )
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", PACKAGE], check=True)

import torch

print("device:", torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU")
"""


def package_address(repository: str | None) -> str:
    """Return what pip installs: the repository at the version of the page."""
    if repository is None:
        return ""
    return f"deepsif-lite @ git+{repository}@v{deepsif_lite.__version__}"


def add_setup(notebook: NotebookNode, chapter: str) -> None:
    """Put the cell below the title, and ask for a graphics card where one helps."""
    source = _SOURCE.format(package=package_address(repository_url())).strip()
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["tags"] = ["remove-cell", TAG, "nbval-ignore-output"]
    notebook.cells.insert(1, cell)
    if chapter in ON_GPU:
        notebook.metadata["accelerator"] = "GPU"


def without_address(source: str) -> str:
    """Return the cell as it is whatever the repository."""
    lines = source.splitlines()
    return "\n".join(_ADDRESS if s.startswith(_ADDRESS) else s for s in lines)
