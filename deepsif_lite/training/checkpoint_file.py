"""The file of a checkpoint: what torch writes, and its SHA-256 at the end.

The hash is compared before anything is read; ``torch.load`` reads the file as well.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import torch

from ..artifacts import read_bytes, sha256
from ..errors import ArtifactError
from ..paths import whole_file

_MARK = b"sha256:"
_TAIL = len(_MARK) + len(sha256(b""))  # bytes


def write_state(path: Path, state: dict) -> None:
    """Write tensors, numbers and text, whole or not at all.

    Parameters
    ----------
    path : Path
    state : dict
        What ``torch.load(..., weights_only=True)`` can read.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    with whole_file(path) as partial:
        partial.write_bytes(content + _MARK + sha256(content).encode())


def read_state(path: Path, device: torch.device) -> dict:
    """Read what :func:`write_state` wrote.

    Parameters
    ----------
    path : Path
    device : torch.device
        Where the tensors go.

    Returns
    -------
    state : dict

    Raises
    ------
    ArtifactError
        The file is damaged.

    Warns
    -----
    UserWarning
        The file has no hash, as those of former versions, so it was not checked.
    """
    cure = (
        "copy it anew, or start the run over: delete the file or give --no-resume "
        "(resume=False)"
    )
    whole = read_bytes(path, cure)
    content, tail = whole[:-_TAIL], whole[-_TAIL:]
    if not tail.startswith(_MARK):
        warnings.warn(f"{path} has no hash and cannot be checked.", stacklevel=3)
        content = whole
    elif tail != _MARK + sha256(content).encode():
        msg = f"{path} is damaged: its SHA-256 differs; {cure}."
        raise ArtifactError(msg)
    try:
        return torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    except Exception as error:  # whatever damage does to a reader
        reason = str(error).partition("\n")[0]
        msg = f"{path} is damaged ({type(error).__name__}: {reason}); {cure}."
        raise ArtifactError(msg) from error
