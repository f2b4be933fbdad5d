"""Where shipped artifacts are read and results are written, and how: whole files."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ArtifactMissing, DiskFull

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent
"""Folder of the checkout; of whatever holds the package where there is none."""

_PARTIAL = re.compile(r"\..+\.\d+\.part(\.[^.]+)?")  # names of `whole_file`
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Writers that hide the error number (torch, NumPy) are believed below this many bytes.
_NEARLY_FULL = 65536


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

    Raises
    ------
    DiskFull
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with full_disk_named(path):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Say it in one line when the disk is too full to write to ``path``.

    Raises
    ------
    DiskFull
        The block failed for want of space; its own error is the cause.
    """
    try:
        yield
    except Exception as error:
        free = shutil.disk_usage(path.parent).free
        if getattr(error, "errno", None) not in _FULL and free > _NEARLY_FULL:
            raise
        msg = (
            f"The disk of {path.parent} is full ({free:,} bytes are free), so "
            f"{path.name} was not written; make room and run the same again."
        )
        raise DiskFull(msg) from error


def remove_partial_files(folder: Path) -> None:
    """Remove what killed processes left of whole files, in a folder and just inside.

    Only who holds the folder may call this: see :func:`deepsif_lite.runs.only_run_in`.
    """
    for found in (*folder.glob(".*.part*"), *folder.glob("*/.*.part*")):
        if _PARTIAL.fullmatch(found.name):
            found.unlink(missing_ok=True)
