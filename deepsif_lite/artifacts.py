"""Shipped artifacts: one writer that adds a content hash, one reader that checks it.

An artifact is an ``.npz`` file whose entry ``sha256`` is the hash of the others. Every
file under ``data/`` that holds arrays is written by :func:`write_arrays` and read by
:func:`read_arrays`, so that a damaged or edited one is never taken for the right one.
``deepsif-lite build`` makes them anew, each with one command. What makes a part is a
function ``store_...(root=None)`` of a room: it writes to :func:`artifact_path` and
returns the path written, or a list of them.

Tables and other texts under ``data/`` are read by :func:`read_shipped`, which compares them
with ``data/sha256sums.txt``; networks carry hashes of their own on their cards. Tables
that runs of users write have none: :func:`read_own_table` looks at what is in them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import ArtifactError, ArtifactMissing
from .paths import CHECKOUT, data_dir, is_checkout, whole_file

if TYPE_CHECKING:
    import pandas as pd

_HASH = "sha256"
_CHECKSUMS = "sha256sums.txt"  # as the program sha256sum writes and checks it
_HASH_THEMSELVES = ("*.npz", "*.safetensors", "card.json", _CHECKSUMS)


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
    ArtifactMissing
        There is no such file.
    ArtifactError
        The file is damaged, or its arrays are not those that were written.
    """
    path = Path(path)
    cure = f"; restore it with `{restore}`" if restore else "; restore it"
    if not path.is_file():
        msg = f"There is no file {path}{cure}."
        raise ArtifactMissing(msg)
    try:
        # Opened here, for numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    # A flipped bit may ask for a password, another compression, or all the memory.
    except Exception as error:
        msg = f"{path} is damaged ({type(error).__name__}: {error}){cure}."
        raise ArtifactError(msg) from error
    expected = arrays.pop(_HASH, None)
    if expected is None and not hash_needed:
        return arrays
    if expected is None or str(expected) != content_hash(arrays):
        msg = f"{path} is not what was written: its content hash differs{cure}."
        raise ArtifactError(msg)
    return arrays


def read_shipped(name: str) -> str:
    """Read a shipped text that is what was shipped.

    Parameters
    ----------
    name : str
        Folder and file under ``data/``, such as ``"registry.json"``.

    Returns
    -------
    str

    Raises
    ------
    ArtifactMissing
        There is no such file.
    ArtifactError
        It differs from its entry in ``data/sha256sums.txt``, or has none.
    """
    path, checksums = artifact_path(name), artifact_path(_CHECKSUMS)
    cure = f"restore both with `{restore_command(path, checksums)}`"
    content = read_bytes(path, cure)
    if sha256(content) != _listed(read_bytes(checksums, cure)).get(name):
        msg = (
            f"{path} is not what {_CHECKSUMS} lists; {cure}, or, where you changed it "
            "yourself, run `deepsif-lite build checksums`."
        )
        raise ArtifactError(msg)
    return content.decode("utf-8")


def read_shipped_table(name: str, **options) -> pd.DataFrame:
    """Read a shipped table (``.csv``); see :func:`read_shipped`.

    Parameters
    ----------
    name : str
        As for :func:`read_shipped`.
    **options
        Passed to :func:`pandas.read_csv`.
    """
    import pandas as pd

    return pd.read_csv(io.StringIO(read_shipped(name)), **options)


def read_own_table(
    path: Path, cure: str, numbers: Sequence[str] = (), texts: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a table (``.csv``) that a user's run wrote, which has no hash.

    Parameters
    ----------
    path : Path
    cure : str
        What to do where it is damaged.
    numbers, texts : sequence of str
        Columns that it must have. Those of numbers hold finite ones.

    Raises
    ------
    ArtifactMissing
        It cannot be read.
    ArtifactError
        Its end is missing, lines differ in length, columns are missing, or numbers
        are none.
    """
    import pandas as pd

    content = read_bytes(path, cure)
    try:
        if not content.endswith(b"\n"):
            raise ValueError("its last line is cut short")
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        if len({len(row) for row in rows}) > 1:
            raise ValueError("its lines differ in length")
        table = pd.read_csv(io.BytesIO(content))
        missing = [name for name in (*numbers, *texts) if name not in table]
        if missing:
            raise ValueError(f"it has no columns {missing}")
        if not np.isfinite(table[[*numbers]].to_numpy(float)).all():
            raise ValueError("numbers are missing or infinite")
    except (ValueError, csv.Error) as error:
        msg = f"{path} is damaged ({error}); {cure}."
        raise ArtifactError(msg) from error
    return table


def read_bytes(path: Path, cure: str) -> bytes:
    """Read a file, or say how to get it back.

    Parameters
    ----------
    path : Path
    cure : str
        What to do where it cannot be read.

    Returns
    -------
    bytes

    Raises
    ------
    ArtifactMissing
        There is no such file, or the system cannot read it.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); {cure}."
        raise ArtifactMissing(msg) from error


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def restore_command(*paths: Path) -> str:
    """Return the command that brings shipped files back, for a message."""
    if is_checkout() and all(path.is_relative_to(CHECKOUT) for path in paths):
        names = [path.relative_to(CHECKOUT).as_posix() for path in paths]
        return f"git checkout -- {' '.join(names)}"
    return "pip install --force-reinstall --no-deps deepsif-lite"


def store_checksums(root: str | Path | None = None) -> Path:
    """List the SHA-256 of all shipped files that do not hold their own.

    Parameters
    ----------
    root : path | None
        Folder in place of ``data/``.

    Returns
    -------
    path : Path
        ``sha256sums.txt`` in that folder.
    """
    root = artifact_path("", root)
    # A lock, and what a killed run left half written, are hidden files.
    shown = (path for path in root.rglob("[!.]*") if path.is_file())
    paths = sorted(path for path in shown if path.parent.name[:1] != ".")
    lines = [
        f"{sha256(path.read_bytes())}  {path.relative_to(root).as_posix()}\n"
        for path in paths
        if not any(path.match(pattern) for pattern in _HASH_THEMSELVES)
    ]
    with whole_file(root / _CHECKSUMS) as partial:
        partial.write_text("".join(lines), encoding="utf-8", newline="\n")
    return root / _CHECKSUMS


def _listed(checksums: bytes) -> dict[str, str]:
    """Return the listed SHA-256 by name; damaged lines match no file."""
    lines = checksums.decode("utf-8", errors="replace").split("\n")
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in pairs}
