"""Which regions a spike library holds clips of, and why it holds none of the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import read_own_table, read_shipped_table
from ..paths import data_dir, whole_file

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_COUNTS = ("n_simulations", "n_spikes", "n_found", "n_clips")
_OF_SIMULATIONS = (
    "region",
    "gain",
    "mean_input",
    "noise_std",
    "attempt",
    "n_spikes",
    "n_clips",
)
_CURE = "build the library again (deepsif-lite simulate)"

HAS_CLIPS = "has clips"
NOT_SIMULATED = "not simulated"
NO_SPIKE = "never reached 8 mV"
NEVER_ALONE = "spiked, but never apart from other regions"
LEFT_OUT = "found only after the library was full"


def region_report(
    simulations: pd.DataFrame, seeds: Mapping[str, NDArray], n_regions: int
) -> pd.DataFrame:
    """Count simulations, spikes and clips of every region, and say why none are there.

    Parameters
    ----------
    simulations : DataFrame
        One row for each simulation with columns split, region, n_spikes and n_clips,
        as :func:`deepsif_lite.spikes.build_spike_library` returns.
    seeds : mapping of str to array of int, shape (n_clips,)
        Seed region of every clip of each split's library.
    n_regions : int
        Regions of the cortex.

    Returns
    -------
    table : DataFrame
        One row for each split and region: n_simulations, n_spikes (peaks of 8 mV or
        more), n_found (clips cut), n_clips (clips the library holds) and the status,
        ``"has clips"`` or why there is none.
    """
    import pandas as pd

    every = pd.MultiIndex.from_product(
        [list(seeds), range(n_regions)], names=["split", "region"]
    )
    table = (
        simulations.groupby(["split", "region"])
        .agg(
            n_simulations=("n_spikes", "size"),
            n_spikes=("n_spikes", "sum"),
            n_found=("n_clips", "sum"),
        )
        .reindex(every, fill_value=0)
    )
    table["n_clips"] = np.concatenate(
        [np.bincount(own, minlength=n_regions) for own in seeds.values()]
    )
    reasons = {
        HAS_CLIPS: table["n_clips"] > 0,
        LEFT_OUT: table["n_found"] > 0,
        NOT_SIMULATED: table["n_simulations"] == 0,
        NO_SPIKE: table["n_spikes"] == 0,
    }
    table["status"] = np.select(
        list(reasons.values()), list(reasons), default=NEVER_ALONE
    )
    return table.reset_index()


def write_reports(stem: Path, simulations: pd.DataFrame, regions: pd.DataFrame) -> None:
    """Write both tables of a library beside it.

    Parameters
    ----------
    stem : Path
        Folder and stem of the library.
    simulations : DataFrame
        One row for each simulation, to :func:`simulations_path`.
    regions : DataFrame
        A :func:`region_report`, to :func:`report_path`.
    """
    tables = {
        simulations_path(stem): simulations,
        report_path(stem): regions,
    }
    for path, table in tables.items():
        with whole_file(path) as partial:
            table.to_csv(partial, index=False)


def read_report(stem: Path) -> pd.DataFrame:
    """Read the report that was written with a library of this folder and stem.

    Raises
    ------
    ArtifactMissing, ArtifactError
        It cannot be read, or is damaged.
    """
    path = report_path(stem)
    return read_own_table(path, _CURE, ("region", *_COUNTS), ("split", "status"))


def read_simulations(library: str | Path = "lite") -> pd.DataFrame:
    """Read what every simulation of a library gave.

    Parameters
    ----------
    library : str | Path
        Name of a shipped library, or folder and stem of another.

    Returns
    -------
    table : DataFrame
        One row for each simulation, as
        :func:`deepsif_lite.spikes.build_spike_library` returns.

    Raises
    ------
    ArtifactMissing, ArtifactError
        It cannot be read, or is damaged.
    """
    if library == "lite":
        return read_shipped_table(f"spikes/{simulations_path(Path(library)).name}")
    stem = Path(library)
    if isinstance(library, str):
        stem = data_dir() / "spikes" / library
    return read_own_table(simulations_path(stem), _CURE, _OF_SIMULATIONS, ("split",))


def simulations_path(stem: Path) -> Path:
    """Return the file with one row for each simulation of a library."""
    return stem.with_name(f"{stem.name}-simulations.csv")


def report_path(stem: Path) -> Path:
    """Return the file of a library's report."""
    return stem.with_name(f"{stem.name}-regions.csv")


def report_lines(report: pd.DataFrame) -> list[str]:
    """Put a :func:`region_report` into sentences, a line for each split and status."""
    statuses = (HAS_CLIPS, NOT_SIMULATED, NO_SPIKE, NEVER_ALONE, LEFT_OUT)
    return [
        f"{split}: {len(part)} of {len(whole)} regions {_phrase(status, part)}"
        for split, whole in report.groupby("split", sort=False)
        for status in statuses
        if len(part := whole[whole["status"] == status])
    ]


def _phrase(status: str, part: pd.DataFrame) -> str:
    if status == HAS_CLIPS:
        n_clips = part["n_clips"]
        return (
            f"have clips, {n_clips.sum()} in all, {n_clips.min()} to {n_clips.max()} "
            f"a region (median {n_clips.median():.0f})"
        )
    regions = part["region"].tolist()
    named = ", ".join(map(str, regions[:10])) + (" ..." if len(regions) > 10 else "")
    return f"without a clip, {status}: {named}"


def warn_of_empty_regions(regions: pd.DataFrame, path: Path) -> None:
    """Log how many regions of each split are without a clip."""
    empty = regions[regions["status"] != HAS_CLIPS]
    for split, part in empty.groupby("split", sort=False):
        logger.warning("%s: %d regions without a clip, see %s", split, len(part), path)
