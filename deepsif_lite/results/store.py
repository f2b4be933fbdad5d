"""Where chapters leave their numbers: tables, figures, scores and a manifest.

Everything goes to ``paths.results_dir(profile)``: one CSV a table, one PNG a figure,
one JSON of scores a chapter (the scorecard page is made of those) and
``manifest.json``, which says for each file how it came to be.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..artifacts import read_own_table, read_shipped_table, sha256
from ..errors import OptionError, check_option
from ..paths import CHECKOUT, data_dir, results_dir, whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# What decides a number: the packages on the way from brain to score.
PACKAGES = ("numpy", "scipy", "torch", "numba", "mne", "nilearn", "scikit-learn")
DATA_KINDS = ("synthetic", "real", "virtual")


def commit() -> str:
    """Return the commit of the checkout, with ``+`` when files differ from it.

    ``"unknown"`` outside a checkout (an installed wheel, an archive).
    """

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=CHECKOUT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        if not (CHECKOUT / ".git").exists():
            return "unknown"
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@cache
def environment() -> dict[str, str]:
    """Return what a number may depend on: versions, processor, graphics card.

    Found out once in a process.
    """
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "device": _device(),
        **versions,
    }


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _record(path: Path, **facts) -> None:
    """Add one file to the manifest of its folder."""
    manifest = path.with_name("manifest.json")
    entries = json.loads(manifest.read_text()) if manifest.is_file() else {}
    facts = {key: value for key, value in facts.items() if value is not None}
    entries[path.name] = {"sha256": sha256(path.read_bytes()), **facts, **environment()}
    _write_json(manifest, entries)


def _write_json(path: Path, content: dict) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def write_table(
    name: str,
    frame: pd.DataFrame,
    profile: str,
    *,
    seed: int | None = None,
    seconds: float | None = None,
) -> Path:
    """Store a table as ``<name>.csv`` and record how it was made.

    Parameters
    ----------
    name : str
        File name without ending, for example ``"04_metrics"``.
    frame : DataFrame
        Written with its index only when the index has a name.
    profile : str
        Which run it belongs to.
    seed : int | None
        For the manifest.
    seconds : float | None
        Wall time, for the manifest.

    Returns
    -------
    path : Path
    """
    path = results_dir(profile) / f"{name}.csv"
    with whole_file(path) as partial:
        has_index = frame.index.name is not None
        frame.to_csv(partial, index=has_index, float_format="%.6g")
    _record(path, rows=len(frame), seed=seed, seconds=seconds)
    return path


def read_table(name: str, profile: str) -> pd.DataFrame:
    """Read a table that a chapter wrote.

    Raises
    ------
    FileNotFoundError
        The chapter that writes it has not run at this profile.
    ArtifactError
        It is damaged.
    """
    path = results_dir(profile) / f"{name}.csv"
    if not path.is_file():
        msg = f"{path} is missing: run the chapter that writes table {name!r} first."
        raise FileNotFoundError(msg)
    return read_own_table(path, "run the chapter that writes it again")


def read_experiment(name: str) -> pd.DataFrame:
    """Read the results of a longer experiment that are shipped with the library.

    Parameters
    ----------
    name : str
        A file of ``data/experiments`` without its ending, or one of its folder
        ``history``: runs of former versions, which no script makes again.

    Raises
    ------
    OptionError
        There is no such experiment.
    """
    root = data_dir()
    paths = sorted((root / "experiments").rglob("*.csv"))
    names = {path.stem: path.relative_to(root).as_posix() for path in paths}
    check_option("name", name, names)
    return read_shipped_table(names[name], comment="#")


def write_figure(name: str, fig: Figure, profile: str, *, dpi: int = 200) -> Path:
    """Store a figure as ``<name>.png`` and record how it was made.

    Parameters
    ----------
    name : str
        File name without ending, for example ``"04_metrics"``.
    fig : Figure
        Of matplotlib.
    profile : str
        Which run it belongs to.
    dpi : int
        Pixels an inch.

    Returns
    -------
    path : Path
    """
    path = results_dir(profile) / f"{name}.png"
    with whole_file(path) as partial:
        # No date and no version inside: the same picture gives the same bytes.
        fig.savefig(partial, dpi=dpi, metadata={"Software": None})
    _record(path)
    return path


class Score(NamedTuple):
    """A number of ours that stands against one of the paper's.

    Attributes
    ----------
    value : float
        The number.
    sd : float | None
        Standard deviation over recordings, of a mean.
    se : float | None
        Standard error; a number without one gets no verdict.
    n : int | None
        Recordings behind it.
    """

    value: float
    sd: float | None = None
    se: float | None = None
    n: int | None = None

    @classmethod
    def of_mean(cls, values: ArrayLike) -> Score:
        """Return the mean of what is not NaN, with its standard error."""
        numbers = np.asarray(values, float)
        numbers = numbers[np.isfinite(numbers)]
        n = len(numbers)
        if n < 2:
            return cls(float(numbers.mean()) if n else np.nan, n=n)
        sd = float(numbers.std(ddof=1))
        return cls(float(numbers.mean()), sd, sd / np.sqrt(n), n)

    @classmethod
    def of_correlation(cls, a: ArrayLike, b: ArrayLike) -> Score:
        """Return Pearson's correlation, with its standard error for normal values."""
        pairs = np.array([a, b], float)
        r, n = float(np.corrcoef(pairs)[0, 1]), pairs.shape[1]
        return cls(r, None, (1 - r**2) / np.sqrt(n - 1), n)


def write_scores(
    chapter: str,
    scores: Mapping[str, float | Sequence],
    profile: str,
    *,
    known_head: Mapping[str, float | Sequence] | None = None,
    data: str = "synthetic",
    seed: int | None = None,
) -> Path:
    """Store the numbers of a chapter that stand against the paper's.

    Parameters
    ----------
    chapter : str
        For example ``"04_evaluation"``; one file a chapter.
    scores : mapping of id to value | (value, standard deviation) | Score
        Of the network for any cap, by ids of
        :func:`deepsif_lite.results.paper_values`.
    profile : str
        Which run they belong to.
    known_head : mapping | None
        The same of the network that was trained as the paper's: on one head, which is
        that of the test.
    data : {"synthetic", "real", "virtual"}
        What they were computed on. Virtual patients are shown beside the paper's
        patients but not judged against them.
    seed : int | None
        For the manifest.

    Raises
    ------
    OptionError
        An id that the list of the paper's values does not have, or unknown ``data``.
    """
    from .scorecard import paper_values

    check_option("data", data, DATA_KINDS)
    both = {"scores": scores, "known_head": known_head or {}}
    unknown = sorted(set().union(*both.values()) - set(paper_values().index))
    if unknown:
        msg = f"scores {unknown} are not in data/paper_values.csv; add them there."
        raise OptionError(msg)
    rows = {name: _as_rows(each) for name, each in both.items() if each}
    path = results_dir(profile) / f"scores-{chapter}.json"
    _write_json(path, {"chapter": chapter, "data": data, "scores": {}} | rows)
    _record(path, seed=seed)
    return path


def _as_rows(scores: Mapping[str, float | Sequence]) -> dict[str, dict]:
    rows = {}
    for name, value in scores.items():
        score = Score(*(value if isinstance(value, Sequence) else (value,)))
        rows[name] = {
            key: None if number is None or np.isnan(number) else float(number)
            for key, number in score._asdict().items()
        }
    return rows
