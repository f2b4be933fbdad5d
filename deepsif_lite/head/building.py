"""Build what takes minutes in parts, so that a run that was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from numpy.typing import NDArray

from ..artifacts import read_arrays, sha256, write_arrays
from ..errors import ArtifactError
from ..runs import progress_bar

_NAME_DIGITS = 12  # of the hash in the name of an unfinished file


def build_in_parts(
    path: Path,
    recipe: object,
    parts: Mapping[str, Callable[[], Mapping[str, NDArray]]],
    *,
    desc: str,
    progress: bool,
) -> tuple[dict[str, NDArray], Path]:
    """Make arrays part by part; what is finished is kept beside the artifact.

    Parameters
    ----------
    path : Path
        Of the artifact.
    recipe : object
        What the parts depend on; those of another recipe are not taken.
    parts : mapping of str to callable
        By the name of one of its arrays, what makes those of each part.
    desc : str
        Label of the progress bar.
    progress : bool
        Show one.

    Returns
    -------
    arrays : dict of str to array
    partial : Path
        The file of what was finished; delete it once the artifact is written.
    """
    fingerprint = sha256(repr(recipe).encode())[:_NAME_DIGITS]
    partial = path.with_name(f".{path.stem}-{fingerprint}.npz")
    try:
        arrays = read_arrays(partial)
    except (FileNotFoundError, ArtifactError):  # nothing yet, or nothing of use
        arrays = {}
    with progress_bar(progress, total=len(parts), desc=desc, unit="head") as bar:
        for name, make in parts.items():
            if name not in arrays:
                arrays |= make()
                write_arrays(partial, arrays)
            bar.update()
    return arrays, partial
