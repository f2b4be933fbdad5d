"""Cards: what a network was trained for and how, in ``card.json`` beside its weights.

The card says what the network was trained for (channels in order, reference,
sampling rate, window, head model and its hash), how (seed, samples, seconds) and
what it reached (scores); loading checks it against the head model it will image with.

On disk it holds two entries more: the SHA-256 of each file of weights (``files``) and
that of all its other entries (``sha256``), so that nothing damaged, edited or of another
run is loaded.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_bytes, read_shipped, restore_command, sha256
from ..errors import ArtifactError, ArtifactMissing, MismatchError
from ..paths import data_dir, whole_file

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead

# Names that stand for a network on one of its caps: its folder, and the head model.
ALIASES = {"lite-75": ("lite", "template-75"), "lite-64": ("lite", "template-64")}
FILES = "files"  # SHA-256 of each file of weights, by name
_SEAL = "sha256"  # of the card's other entries


def head_fingerprint(head: HeadModel | TrainingHead) -> str:
    """Return a hash of what a network depends on: channels, leadfield, parcels."""
    digest = hashlib.sha256("\n".join(head.ch_names).encode())
    # Rounded, so that rebuilding on another processor gives the same hash.
    scaled = head.leadfield / np.abs(head.leadfield).max()
    digest.update(np.round(scaled, 3).astype(np.float32).tobytes())
    digest.update(head.cortex.region_of_vertex.astype(np.int32).tobytes())
    return digest.hexdigest()[:16]


def cortex_fingerprint(cortex: Parcels) -> str:
    """Return a hash of the parcels that a network's output is about."""
    regions = cortex.region_of_vertex.astype(np.int32)
    return hashlib.sha256(regions.tobytes()).hexdigest()[:16]


def load_card(name_or_path: str | Path) -> dict:
    """Read what a network was made for and how, without loading it.

    Raises
    ------
    ArtifactMissing
        Neither a shipped network nor a folder with a card.
    ArtifactError
        The card is damaged or was edited by other means than :func:`edit_card`.

    Warns
    -----
    UserWarning
        The card is of a time before cards had hashes, so nothing could be checked.
    """
    card = read_card(find_network(name_or_path))
    card.pop(FILES, None)
    return card


def read_card(folder: Path) -> dict:
    """Read a card with its list of files, and check its hash; see :func:`load_card`."""
    path = folder / "card.json"
    text = read_bytes(path, cure(folder))
    try:
        card = json.loads(text)
        seal = card.pop(_SEAL, None)
    # No JSON, not UTF-8, too deep, or no object.
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        msg = f"{path} is damaged ({error}); {cure(folder)}."
        raise ArtifactError(msg) from error
    if seal is None and FILES not in card and not _is_shipped(folder):
        warnings.warn(
            f"{path} has no hash, so damage of it or of its weights goes unnoticed. If "
            "they are whole, add it: deepsif_lite.network.edit_card(folder).",
            stacklevel=2,
        )
    elif seal != _hash(card):
        msg = f"{path} is not what was written: its hash differs; {cure(folder)}."
        raise ArtifactError(msg)
    return card


def write_card(folder: Path, card: dict) -> Path:
    """Write a card with its hash."""
    path = folder / "card.json"
    card = json.loads(json.dumps(card))  # as it will be read
    card.pop(_SEAL, None)
    card[_SEAL] = _hash(card)
    text = json.dumps(card, indent=1, ensure_ascii=False)
    with whole_file(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    return path


def _hash(card: dict) -> str:
    """Return the SHA-256 of a card's content, whatever its line breaks and order."""
    return sha256(json.dumps(card, sort_keys=True).encode())


def edit_card(folder: str | Path, **entries) -> Path:
    """Add or replace entries of a card, and renew its hash.

    Parameters
    ----------
    folder : path
        A shipped network or a folder of weights.
    **entries
        What JSON can hold. Without any, a card without hashes gets them.

    Returns
    -------
    card : Path
    """
    folder = find_network(folder)
    card = read_card(folder)
    if FILES not in card:
        files = unlisted_files(folder)
        card[FILES] = {name: sha256((folder / name).read_bytes()) for name in files}
    return write_card(folder, card | entries)


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
    return edit_card(folder, scores=scores)


def unlisted_files(folder: Path) -> list[str]:
    """Return the weights beside a card without hashes: ``weights-<k>`` and no more."""
    names = sorted(path.name for path in folder.glob("weights-*.safetensors"))
    return [name for name in names if name.count("-") == 1]


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
    ArtifactMissing
        Neither a shipped network nor a folder with a card, or it has no log.
    ArtifactError
        The log is damaged.
    """
    folder = find_network(name_or_path)
    path = folder / "log.csv"
    if _is_shipped(folder):
        content = read_shipped(path.relative_to(data_dir()).as_posix()).encode()
    else:
        content = read_bytes(path, cure(folder))
    try:
        if not content.endswith(b"\n"):
            raise ValueError("its last line is cut short")
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        return {
            name: np.array([_number(row[name]) for row in rows])
            for name in (rows[0] if rows else ())
        }
    except (ValueError, TypeError, csv.Error) as error:
        msg = f"{path} is damaged ({error}); {cure(folder)}."
        raise ArtifactError(msg) from error


def _number(text: str) -> float:
    """Return a number; what was not measured stands there as nothing."""
    number = math.nan if text == "" else float(text)
    if math.isinf(number):
        raise ValueError(f"it holds {text}")
    return number


def head_of(name_or_path: str | Path, card: dict) -> str:
    """Return the name of the head model of a network: the alias's, or the card's."""
    return ALIASES.get(str(name_or_path), ("", card["head"]))[1]


def card_on(card: dict, head: HeadModel) -> dict:
    """Return the card of a network for any cap, on the cap of a head model."""
    return card | {"ch_names": list(head.ch_names), "head": head.name}


def is_alias(name_or_path: str | Path) -> bool:
    """Whether a name stands for a network on one of its caps."""
    return str(name_or_path) in ALIASES


def available_weights() -> list[str]:
    """Return the names of the shipped networks, without aliases."""
    cards = (data_dir() / "weights").glob("*/card.json")
    return sorted(card.parent.name for card in cards)


def serves_any_cap(card: dict) -> bool:
    """Whether a network was trained for any electrodes, and not for one montage."""
    return "cortex_hash" in card


def shortest_window(card: dict) -> int:
    """Return the samples of the shortest windows that a network was trained on."""
    variety = card.get("training", {}).get("variety") or {}
    return variety.get("shortest", card["n_times"])


def check_card(card: dict, head: HeadModel) -> None:
    """Refuse a network on a head model it was not trained for.

    Raises
    ------
    MismatchError
        The parcels or the modality differ, or, of a network for one montage, the
        channels or the leadfield behind them.
    """
    own = card["network"].get("modality", "eeg")
    if own != head.modality:
        msg = (
            f"head={head.name!r} is of {head.modality.upper()}, but the network images "
            f"{own.upper()}; give another, train one, or transfer=True."
        )
        raise MismatchError(msg)
    if serves_any_cap(card):
        if card["cortex_hash"] != cortex_fingerprint(head.cortex):
            msg = (
                f"head={head.name!r} has other parcels than the network's head "
                f"{card['head']!r}; give a head model of its cortex, or transfer=True."
            )
            raise MismatchError(msg)
        return
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


def find_network(name_or_path: str | Path) -> Path:
    """Return the folder of a shipped network, or the one given.

    Raises
    ------
    ArtifactMissing
        It is neither, or holds no card.
    """
    name = ALIASES.get(str(name_or_path), (str(name_or_path),))[0]
    for folder in (data_dir() / "weights" / name, Path(name_or_path)):
        if (folder / "card.json").is_file():
            return folder
    msg = (
        f"No network {str(name_or_path)!r}: give a folder holding card.json, or one "
        f"of the shipped networks: {', '.join(available_weights()) or 'none yet'}."
    )
    raise ArtifactMissing(msg)


def cure(folder: Path) -> str:
    """Return how to get a network back, for a message."""
    if _is_shipped(folder):
        return f"restore it with `{restore_command(folder)}`"
    return (
        "copy the folder anew, or write it from its checkpoint by the same "
        f"`deepsif-lite train --out {folder}`"
    )


def _is_shipped(folder: Path) -> bool:
    return folder.resolve().is_relative_to(data_dir().resolve())
