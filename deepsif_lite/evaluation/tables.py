"""From rows of single sources to the means that stand in tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results.scorecard import paper_key
from ..results.store import Score
from ..solvers.methods import SOLVERS

if TYPE_CHECKING:
    import pandas as pd

# The paper's metrics, and their printed names with units.
METRICS = {
    "precision": "precision",
    "recall": "recall",
    "correlation": "linear correlation",
    "error_mm": "localization error (mm)",
}
# Scores of a recording's whole map: no threshold, no division among sources.
MAP_METRICS = {
    "average_precision": "average precision",
    "emd_mm": "earth mover's distance (mm)",
}
_RECORDING = ["head", "method", "selection", "n_sources", "sample"]


def headline_selection(method: str) -> str:
    """Return the rule for regions by which a method is judged.

    ``"corrected"`` for networks, as in the paper: a region counts when it stays
    above the threshold for some time. The solvers are noisy at every moment, so under
    that rule nearly every region counts at some time; ``"map"``, the root mean square
    over time, serves them better.
    """
    return "map" if method in SOLVERS else "corrected"


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the rule by which each method is judged.

    For networks that is ``"corrected"``, for solvers ``"map"``: see
    :func:`~deepsif_lite.metrics.select_regions`.

    Parameters
    ----------
    table : DataFrame
        With columns ``method`` and ``selection``.
    """
    return table[table["selection"] == table["method"].map(headline_selection)]


def per_sample(table: pd.DataFrame) -> pd.DataFrame:
    """Average the sources of each recording, missed ones dropped as NaN.

    Areas are summed. ``recall`` counts a missed source as 0, ``recall_detected``
    drops it as the paper does.
    """
    keys = [key for key in _RECORDING if key in table]
    groups = table.groupby(keys, sort=False)
    whole = [name for name in MAP_METRICS if name in table]
    means = groups[["snr_db", "recall_detected", *METRICS, "detected", *whole]].mean()
    areas = groups[["area_true_cm2", "area_found_cm2"]].sum()
    return means.join(areas).reset_index()


def summary(samples: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return mean, standard deviation and median of each metric in each group.

    Parameters
    ----------
    samples : DataFrame
        Of :func:`per_sample`.
    by : sequence of str
        Columns that make the groups.

    Returns
    -------
    DataFrame
        Columns (metric, statistic), one row a group.
    """
    groups = samples.groupby(list(by), sort=False)
    return groups[[*METRICS, "recall_detected"]].agg(["mean", "std", "median"])


def card_scores(table: pd.DataFrame, seed: int) -> dict:
    """Return the means of an evaluation as they stand on a network's card.

    Parameters
    ----------
    table : DataFrame
        Of :func:`evaluate`.
    seed : int
        Key of its test sets.

    Returns
    -------
    dict
        ``test_samples`` in each set, ``seed``, and for each way to select regions the
        means of each set and of ``"all"``; a missed source has recall 0.
    """
    samples = per_sample(table[table["method"] == "deepsif"])
    columns = [*METRICS, "recall_detected", "detected"]
    scores = {"test_samples": int(samples["sample"].nunique()), "seed": seed}
    for selection, part in samples.groupby("selection", sort=False):
        means = part.groupby("n_sources")[columns].mean()
        means.index = [f"{count} sources" for count in means.index]
        means.loc["all"] = part[columns].mean()
        scores[str(selection)] = means.round(4).to_dict("index")
    return scores


DEEPEST = 0.05
"""Share of the sources that count as the deepest ones."""


def paper_scores(table: pd.DataFrame) -> dict[str, Score]:
    """Return the scores of one method by the ids of the paper's numbers, and more.

    Parameters
    ----------
    table : DataFrame
        Of :func:`evaluate`, of one method and selection.

    Returns
    -------
    dict
        Means over recordings for each number of sources and ``"all"``, errors at each
        noise level and of the deepest 5 % of the sources that were found, and the
        correlation of areas. Ids that the paper does not have: ``sim/missed/...``,
        the share of sources missed, and whole-map scores.
    """
    samples = per_sample(table).assign(missed=lambda rows: 1 - rows["detected"])
    whole = [name for name in MAP_METRICS if name in samples]
    groups = [("all", samples), *samples.groupby("n_sources")]
    scores = {
        paper_key(metric, by): Score.of_mean(rows[metric])
        for metric in (*METRICS, "missed", *whole)
        for by, rows in groups
    }
    for snr, rows in samples.groupby("snr_db"):
        scores[f"sim/le/snr{snr:.0f}"] = Score.of_mean(rows["error_mm"])
    deep = table[table["depth_mm"] > table["depth_mm"].quantile(1 - DEEPEST)]
    scores["sim/le/deep"] = Score.of_mean(deep["error_mm"])
    areas = samples["area_true_cm2"], samples["area_found_cm2"]
    scores["sim/area/correlation"] = Score.of_correlation(*areas)
    return scores


def in_units(score: dict[str, float]) -> dict[str, float]:
    """Return a source's scores in mm and cm^2, a miss as recall 0."""
    recall = score["recall_detected"]
    return {
        "detected": score["detected"],
        "precision": score["precision"],
        "recall": 0.0 if np.isnan(recall) else recall,
        "recall_detected": recall,
        "correlation": score["correlation"],
        "error_mm": score["localization_error"] * 1e3,
        "area_true_cm2": score["area_true"] * 1e4,
        "area_found_cm2": score["area_found"] * 1e4,
    }
