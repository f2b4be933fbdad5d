"""Shipped artifacts: one writer that adds a content hash, one reader that checks it.

An artifact is an ``.npz`` file whose entry ``sha256`` is the hash of the others. Every
file under ``data/`` that holds arrays is written by :func:`write_arrays` and read by
:func:`read_arrays`, so that a damaged or edited one is never taken for the right one.
``deepsif-lite build`` makes them anew, each with one command.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import ArtifactError
from .paths import data_dir, whole_file

_HASH = "sha256"


def artifact_path(name: str, root: str | Path | None = None) -> Path:
    """Return where an artifact lies, or is to be stored.

    Parameters
    ----------
    name : str
        Folder and file under ``data/``, such as ``"head/template.npz"``.
    root : path | None
        Another folder in place of ``data/``.
    """
    return (data_dir() if root is None else Path(root)) / name


def read_artifact(name: str, part: str) -> dict[str, NDArray]:
    """Read a shipped artifact; see :func:`read_arrays`.

    Parameters
    ----------
    name : str
        As for :func:`artifact_path`.
    part : str
        Of ``deepsif-lite build``, the command that makes it.
    """
    return read_arrays(artifact_path(name), restore=f"deepsif-lite build {part}")


def content_hash(arrays: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_arrays(
    path: str | Path, arrays: Mapping[str, NDArray], *, compress: bool = True
) -> Path:
    """Write named arrays with their content hash, whole or not at all.

    Parameters
    ----------
    path : path
        An ``.npz`` file; its folder is created.
    arrays : mapping of str to array
    compress : bool
        Pays unless the arrays are compressed already.

    Returns
    -------
    path : Path
    """
    path = Path(path)
    arrays = {key: np.asarray(array) for key, array in arrays.items()}
    save: Callable = np.savez_compressed if compress else np.savez
    with whole_file(path) as partial, partial.open("wb") as file:
        save(file, **arrays, **{_HASH: np.array(content_hash(arrays))})
    return path


def read_arrays(
    path: str | Path, *, restore: str = "", hash_needed: bool = True
) -> dict[str, NDArray]:
    """Read what :func:`write_arrays` wrote.

    Parameters
    ----------
    path : path
    restore : str
        The command that makes the file anew, for the message.
    hash_needed : bool
        Refuse a file without a hash. Files of users may be older than the hash.

    Returns
    -------
    dict of str to array

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ArtifactError
        The file is damaged, or its arrays are not those that were written.
    """
    path = Path(path)
    cure = f"; restore it with `{restore}`" if restore else "; restore it"
    if not path.is_file():
        msg = f"There is no file {path}{cure}."
        raise FileNotFoundError(msg)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        msg = f"{path} is damaged ({type(error).__name__}: {error}){cure}."
        raise ArtifactError(msg) from error
    expected = arrays.pop(_HASH, None)
    if expected is None and not hash_needed:
        return arrays
    if expected is None or str(expected) != content_hash(arrays):
        msg = f"{path} is not what was written: its content hash differs{cure}."
        raise ArtifactError(msg)
    return arrays
