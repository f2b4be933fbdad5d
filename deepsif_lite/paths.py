"""Where shipped artifacts are read and results are written, and how: whole files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ArtifactMissing

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent
"""Folder of the checkout; of whatever holds the package where there is none."""


def data_dir() -> Path:
    """Return the folder of shipped artifacts (head models, clips, weights).

    An installed wheel keeps it inside the package, a checkout beside it.

    Raises
    ------
    ArtifactMissing
        Neither folder is there.
    """
    for folder in (_PACKAGE / "data", CHECKOUT / "data"):
        # Another distribution may have left a folder of that name beside ours.
        if (folder / "registry.json").is_file():
            return folder
    msg = f"No data folder inside or beside {_PACKAGE}; reinstall deepsif-lite."
    raise ArtifactMissing(msg)


def is_checkout() -> bool:
    """Return whether the package is used from a checkout, not from a wheel."""
    return (CHECKOUT / "pyproject.toml").is_file()


def results_dir(profile: str) -> Path:
    """Return the folder where chapters write tables and figures.

    ``DEEPSIF_LITE_RESULTS`` overrides the root, which is ``_build/results`` of the
    checkout, or of the working directory when there is no checkout. The folder need
    not exist: writers create it.
    """
    home = CHECKOUT if is_checkout() else Path.cwd()
    root = Path(os.environ.get("DEEPSIF_LITE_RESULTS", home / "_build" / "results"))
    return root / profile


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file beside its place and move it there when it is whole.

    A kill or a full disk in between leaves the old file, or none, never half a one.

    Parameters
    ----------
    path : path
        Where the file is to be; its folder is created.

    Yields
    ------
    partial : Path
        Where to write it, with the same ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
