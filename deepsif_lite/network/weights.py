"""Trained networks on disk: safetensors, in shards, beside a JSON card.

The card says what the network was trained for (channels in order, reference,
sampling rate, window, head model and its hash), how (seed, samples, seconds) and
what it reached (scores); loading checks it against the head model it will image with.
"""

from __future__ import annotations

import csv
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError
from ..paths import data_dir, whole_file

if TYPE_CHECKING:
    from torch import nn

    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from .protocol import SourceNetwork

SHARD_BYTES = 15_000_000  # what travels well through code hosts and mail


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


def head_fingerprint(head: HeadModel | TrainingHead) -> str:
    """Return a hash of what a network depends on: channels, leadfield, parcels."""
    digest = hashlib.sha256("\n".join(head.ch_names).encode())
    # Rounded, so that rebuilding on another processor gives the same hash.
    scaled = head.leadfield / np.abs(head.leadfield).max()
    digest.update(np.round(scaled, 3).astype(np.float32).tobytes())
    digest.update(head.cortex.region_of_vertex.astype(np.int32).tobytes())
    return digest.hexdigest()[:16]


def save_weights(network: nn.Module, folder: str | Path, card: dict) -> Path:
    """Write a network in half precision, with its card.

    Parameters
    ----------
    network : Module
    folder : path
        Created; holds ``card.json`` and ``weights-<k>.safetensors`` after.
    card : dict
        Must hold ``network`` (the arguments of ``build_network``), ``ch_names``,
        ``sfreq``, ``n_times``, ``head`` and ``head_hash``.

    Returns
    -------
    folder : Path
    """
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    shards = {f"weights-{k}.safetensors": s for k, s in enumerate(_shards(halves))}
    for name, shard in shards.items():
        with whole_file(folder / name) as partial:
            save_file(shard, partial)
    for old in folder.glob("weights-*.safetensors"):
        if old.name not in shards:
            old.unlink()
    _write_card(folder, card)
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
    FileNotFoundError
        Neither a shipped network nor a folder with a card.
    """
    from safetensors.torch import load_file

    from .build import build_network

    folder, card = _find(name_or_path), load_card(name_or_path)
    network = build_network(**card["network"])
    state: dict = {}
    for shard in sorted(folder.glob("weights-*.safetensors")):
        state |= load_file(shard)
    network.load_state_dict(state)
    return network.eval(), card


def load_card(name_or_path: str | Path) -> dict:
    """Read what a network was made for and how, without loading it.

    Raises
    ------
    FileNotFoundError
        Neither a shipped network nor a folder with a card.
    """
    path = _find(name_or_path) / "card.json"
    return json.loads(path.read_text(encoding="utf-8"))


def load_log(name_or_path: str | Path) -> dict[str, NDArray]:
    """Read how a network was trained.

    Parameters
    ----------
    name_or_path : str | path
        A shipped network or the folder of a run.

    Returns
    -------
    dict of str to array of shape (n_points,)
        Columns of the run's ``log.csv``: ``step``, ``samples``, ``seconds``,
        ``waited`` (s, for data), ``training_loss`` (mean since the last point),
        ``validation_loss``, and the scores of :data:`deepsif_lite.training.SCORES`,
        which are NaN where the run was not scored.

    Raises
    ------
    FileNotFoundError
        Neither a shipped network nor a folder with a card, or it has no log.
    """
    with (_find(name_or_path) / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([float(row[name] or "nan") for row in rows])
        for name in (rows[0] if rows else ())
    }


def write_card_scores(folder: str | Path, scores: dict) -> Path:
    """Put what a network reached on its card.

    Parameters
    ----------
    folder : path
        A shipped network or a folder of weights.
    scores : dict
        Of :func:`deepsif_lite.evaluation.card_scores`.

    Returns
    -------
    card : Path
    """
    folder, card = _find(folder), load_card(folder)
    return _write_card(folder, card | {"scores": scores})


def _write_card(folder: Path, card: dict) -> Path:
    path = folder / "card.json"
    text = json.dumps(card, indent=1, ensure_ascii=False)
    with whole_file(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    return path


def available_weights() -> list[str]:
    """Return the names of the shipped networks."""
    cards = (data_dir() / "weights").glob("*/card.json")
    return sorted(card.parent.name for card in cards)


def check_card(card: dict, head: HeadModel) -> None:
    """Refuse a network on a head model it was not trained for.

    Raises
    ------
    MismatchError
        Channels, or the leadfield behind them, differ.
    """
    if list(card["ch_names"]) != list(head.ch_names):
        msg = (
            f"head={head.name!r} has other channels than the network's head "
            f"{card['head']!r}; load the network trained for it, or train one."
        )
        raise MismatchError(msg)
    if card["head_hash"] != head_fingerprint(head):
        msg = (
            f"head={head.name!r} differs from the one this network was trained on "
            f"({card['head']!r}, hash {card['head_hash']}); retrain the network or "
            "restore the shipped head model."
        )
        raise MismatchError(msg)


def _find(name_or_path: str | Path) -> Path:
    for folder in (data_dir() / "weights" / str(name_or_path), Path(name_or_path)):
        if (folder / "card.json").is_file():
            return folder
    msg = (
        f"No network {str(name_or_path)!r}: give a folder holding card.json, or one "
        f"of the shipped networks: {', '.join(available_weights()) or 'none yet'}."
    )
    raise FileNotFoundError(msg)


def weights_stamp(name_or_path: str | Path) -> tuple:
    """Return the folder of a network, and what changes when its files do.

    Raises
    ------
    FileNotFoundError
        Neither a shipped network nor a folder with a card.
    """
    folder = _find(name_or_path).resolve()
    files = [path.stat() for path in sorted(folder.iterdir())]
    return folder, *((file.st_mtime_ns, file.st_size) for file in files)
