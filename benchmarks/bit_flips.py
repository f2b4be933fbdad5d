"""Flip random bits in the shipped data, and count which are taken without a word.

Run ``python benchmarks/bit_flips.py`` (some minutes). Each flip is one bit of one file in
a copy of ``data/``; whatever reads that file then either refuses it by a
:class:`~deepsif_lite.errors.DeepSIFError`, gives what it gave before (a bit that means
nothing, such as padding), or, which must not happen, gives something else or fails in
another way.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from deepsif_lite import paths
from deepsif_lite.artifacts import content_hash, read_arrays, read_shipped
from deepsif_lite.errors import DeepSIFError
from deepsif_lite.network import load_log, load_weights
from deepsif_lite.recordings import registry
from deepsif_lite.results import paper_values, read_experiment
from deepsif_lite.spikes import read_simulations, read_tvb_statistics

REFUSED, SAME, OTHER, CRASH = "refused", "same content", "other content", "other error"


class Flip(NamedTuple):
    """One bit of one file."""

    name: str
    position: int
    bit: int


def flips(root: Path, n: int, seed: int, per: str) -> list[Flip]:
    """Draw bits; ``per`` file each file is as likely, per byte each byte of all."""
    # Locks are hidden, and hold nothing.
    files = sorted(path for path in root.rglob("[!.]*") if path.is_file())
    sizes = np.array([path.stat().st_size for path in files])
    weights = sizes / sizes.sum() if per == "byte" else None
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(files), n, p=weights)
    return [
        Flip(
            files[k].relative_to(root).as_posix(),
            int(rng.integers(sizes[k])),
            int(rng.integers(8)),
        )
        for k in chosen
    ]


def read(name: str) -> object:
    """Read what a file feeds, as the library does."""
    folder, _, file = name.rpartition("/")
    if name.endswith(".npz"):
        return read_arrays(paths.data_dir() / name)
    if folder.startswith("weights/"):
        network = folder.removeprefix("weights/")
        return load_log(network) if file == "log.csv" else load_weights(network)
    if folder.startswith("experiments") and file.endswith(".csv"):
        return read_experiment(Path(file).stem)
    return _TEXTS.get(name, lambda: read_shipped(name))()


def _registry() -> dict:
    registry.cache_clear()
    return registry()


def _all_texts() -> list:
    """Read all that the list of checksums is for."""
    root = paths.data_dir()
    texts = [*root.rglob("*.csv"), *root.rglob("*.md"), root / "registry.json"]
    return [read(path.relative_to(root).as_posix()) for path in sorted(texts)]


_TEXTS: dict[str, Callable] = {
    "registry.json": _registry,
    "paper_values.csv": paper_values,
    "tvb_statistics.csv": read_tvb_statistics,
    "spikes/lite-simulations.csv": read_simulations,
    "sha256sums.txt": _all_texts,
}


def fingerprint(value: object) -> str:
    """Return what changes with any bit of what was read."""
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, dict) and all(
        isinstance(v, np.ndarray) for v in value.values()
    ):
        return content_hash(value)
    if isinstance(value, list | tuple):
        return "\n".join(map(fingerprint, value))
    if hasattr(value, "state_dict"):
        state = {key: each.numpy() for key, each in value.state_dict().items()}
        return content_hash(state)
    return repr(value)


def outcome(root: Path, flip: Flip, before: str) -> str:
    """Flip a bit, read, and put the bit back."""
    path = root / flip.name
    with path.open("r+b") as file:
        _turn(file, flip)
        file.flush()
        try:
            return SAME if fingerprint(read(flip.name)) == before else OTHER
        except DeepSIFError as error:
            is_clear = "\n" not in str(error) and path.name in str(error)
            return REFUSED if is_clear else f"{CRASH} ({error})"
        except Exception as error:
            return f"{CRASH} ({type(error).__name__}: {error})"
        finally:
            _turn(file, flip)


def _turn(file, flip: Flip) -> None:
    file.seek(flip.position)
    (byte,) = file.read(1)
    file.seek(flip.position)
    file.write(bytes([byte ^ (1 << flip.bit)]))


def count(n: int, seed: int = 0, per: str = "file") -> pd.DataFrame:
    """Flip ``n`` bits, one at a time.

    Returns
    -------
    table : DataFrame
        One row a file (and ``all``), one column an outcome.
    """
    source, package = paths.data_dir(), paths._PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "data"
        shutil.copytree(source, root)
        paths._PACKAGE = root.parent  # where data_dir looks first
        try:
            drawn = flips(root, n, seed, per)
            before = {name: fingerprint(read(name)) for name in {f.name for f in drawn}}
            found = Counter((f.name, outcome(root, f, before[f.name])) for f in drawn)
        finally:
            paths._PACKAGE = package
    table = pd.Series(found).unstack(fill_value=0)
    table.loc["all"] = table.sum()
    return table


def main() -> None:
    """Print the table; an exit status of 1 says that a flip went unnoticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-n", type=int, default=1000, help="bits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per", choices=["file", "byte"], default="file")
    arguments = parser.parse_args()
    table = count(arguments.n, arguments.seed, arguments.per)
    print(table.to_string())
    raise SystemExit(not set(table.columns) <= {REFUSED, SAME})


if __name__ == "__main__":
    main()
