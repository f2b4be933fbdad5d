"""Trained networks on disk: safetensors, in shards, beside a JSON card.

The card lists the files of its weights, whose names hold their hash, and is written
last: until then the former card and its weights are whole.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..artifacts import read_bytes, sha256
from ..errors import ArtifactError
from ..paths import whole_file
from .cards import FILES, cure, find_network, read_card, unlisted_files, write_card

if TYPE_CHECKING:
    from torch import nn

    from .protocol import SourceNetwork

SHARD_BYTES = 15_000_000  # what travels well through code hosts and mail
_NAME_DIGITS = 12  # of the hash in the name of a file


def check_safetensors() -> None:
    """Refuse to start what could not be written at its end.

    Raises
    ------
    ImportError
        safetensors is not installed.
    """
    if find_spec("safetensors") is None:
        msg = "Weights are kept as safetensors: run `pip install safetensors`."
        raise ImportError(msg)


def save_weights(network: nn.Module, folder: str | Path, card: dict) -> Path:
    """Write a network in half precision, with its card.

    A network that is in the folder already stays whole until the new one is.

    Parameters
    ----------
    network : Module
    folder : path
        Created; holds ``card.json`` and ``weights-<k>-<hash>.safetensors`` after.
    card : dict
        Must hold ``network`` (the arguments of ``build_network``), ``ch_names``,
        ``sfreq``, ``n_times``, ``head`` and ``head_hash``.

    Returns
    -------
    folder : Path
    """
    from safetensors.torch import save

    folder = Path(folder)
    halves = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    files = {}
    for k, shard in enumerate(_shards(halves)):
        content = save(shard)
        digest = sha256(content)
        name = f"weights-{k}-{digest[:_NAME_DIGITS]}.safetensors"
        with whole_file(folder / name) as partial:
            partial.write_bytes(content)
        files[name] = digest
    write_card(folder, card | {FILES: files})
    for old in folder.glob("weights-*.safetensors"):
        if old.name not in files:
            old.unlink()
    return folder


def _shards(state: dict) -> list[dict]:
    """Split named tensors, in order, into groups of at most ``SHARD_BYTES``."""
    shards: list[dict] = [{}]
    size = 0
    for name, value in state.items():
        if shards[-1] and size + value.nbytes > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = value
        size += value.nbytes
    return shards


def load_weights(name_or_path: str | Path) -> tuple[SourceNetwork, dict]:
    """Load a network and its card.

    Parameters
    ----------
    name_or_path : str | path
        A shipped network (``"lite-75"``, ``"lite-64"``, ``"lite-published-75"``) or a
        folder.

    Returns
    -------
    network : SourceNetwork
        On the CPU; ready for inference once ``set_geometry`` gave it its head model.
    card : dict

    Raises
    ------
    ArtifactMissing
        Neither a shipped network nor a folder with a card, or weights are missing.
    ArtifactError
        Card or weights are damaged, were edited, or are not of one network.

    Warns
    -----
    UserWarning
        The card is of a time before cards had hashes, so nothing could be checked.
    """
    from .build import build_network

    folder = find_network(name_or_path)
    card = read_card(folder)
    files = card.pop(FILES, None) or dict.fromkeys(unlisted_files(folder))
    state: dict = {}
    for name, digest in files.items():
        state |= _read_tensors(folder / name, digest)
    network = build_network(**card["network"])
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        msg = (
            f"{folder} holds weights of another network than its card; {cure(folder)}."
        )
        raise ArtifactError(msg) from error
    return network.eval(), card


def _read_tensors(path: Path, digest: str | None) -> dict:
    """Read a file of weights; nothing is made of its content before its hash fits."""
    from safetensors.torch import load

    content = read_bytes(path, cure(path.parent))
    if digest is not None and digest != sha256(content):
        msg = f"{path} is damaged: its SHA-256 differs; {cure(path.parent)}."
        raise ArtifactError(msg)
    try:
        return load(content)
    except Exception as error:  # whatever damage does to a reader
        msg = f"{path} is damaged ({error}); {cure(path.parent)}."
        raise ArtifactError(msg) from error


def weights_stamp(name_or_path: str | Path) -> tuple:
    """Return the folder of a network, and what changes when its files do.

    Raises
    ------
    ArtifactMissing
        Neither a shipped network nor a folder with a card.
    """
    folder = find_network(name_or_path).resolve()
    files = [path.stat() for path in sorted(folder.iterdir())]
    return folder, *((file.st_mtime_ns, file.st_size) for file in files)
